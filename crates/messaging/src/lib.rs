//! Reliable messaging for choreographed services, blind to their domain.
//!
//! A service brings a [`Reactor`] (what it hears and what it does about it); this crate brings
//! everything that makes the result exactly-once in effect: the outbox and its relay, the inbox,
//! batched consumption with a one-by-one fallback, retry and parking, dead letters, and asking,
//! which heals a lost log. One transaction is a [`Tx`]; the log is a [`Log`].
//!
//! The rules are those of `docs/saga.md`, "Rules every handler obeys"; each module names the one
//! it keeps.

mod account;
pub mod afterwards;
mod asker;
mod backoff;
pub mod consumer;
pub mod crew;
pub mod envelope;
pub mod failure;
mod headers;
pub mod kafka;
pub mod lease;
mod lineage;
pub mod log;
pub mod metrics;
pub mod migration;
pub mod outlet;
pub mod reactor;
pub mod relay;
mod resend;
pub mod retention;
pub mod router;
pub mod settings;
pub mod simulated;
mod spans;
pub mod sql;
pub mod streams;
pub mod tables;
pub mod tx;

pub use account::{Applied, Said, StreamAccount, account_of};
pub use asker::Asker;
pub use consumer::{
    Consumer, ConsumerStatus, Step,
    letters::{DeadLetters, Letter, LetterFilter},
};
pub use crew::Crew;
pub use envelope::Event;
pub use failure::Failure;
pub use kafka::{EmbeddedBroker, KafkaLog, KafkaSettings};
pub use lease::Lease;
pub use log::{Delivery, Log, LogError, PublishError, Record, Subscription};
pub use metrics::MessagingMetrics;
pub use outlet::Messaging;
pub use reactor::{Action, Intervention, Outcome, Reactor};
pub use relay::Relay;
pub use retention::Retention;
pub use router::Router;
pub use settings::{ConsumeTrace, MessagingSettings};
pub use simulated::SimulatedLog;
pub use tx::{Announcement, Standing, Tx};
