//! Reliable messaging for choreographed services, blind to their domain.
//!
//! A service brings a [`Reactor`] (what it hears and what it does about it); this crate brings
//! everything that makes the result exactly-once in effect: the outbox and its relay, the inbox,
//! batched consumption with a one-by-one fallback, retry and parking, dead letters, and asking,
//! which heals a lost log. One transaction is a [`Tx`]; the log is a [`Log`].
//!
//! The rules are those of `docs/saga.md`, "Rules every handler obeys"; each module names the one
//! it keeps.

pub mod envelope;
pub mod failure;
pub mod log;
pub mod migration;
pub mod outlet;
pub mod reactor;
pub mod router;
pub mod settings;
pub mod streams;
pub mod tables;
pub mod tx;

pub use envelope::Event;
pub use failure::Failure;
pub use log::{Delivery, Log, LogError, PublishError, Record, Subscription};
pub use outlet::Messaging;
pub use reactor::{Outcome, Reactor};
pub use router::Router;
pub use settings::MessagingSettings;
pub use tx::{Announcement, Standing, Tx};
