//! The log on Kafka's protocol: Apache Kafka and the embedded broker alike, through librdkafka.
//!
//! - [`KafkaLog`]: the adapter behind [`crate::Log`]
//! - [`KafkaSettings`]: where the brokers are, and every bound
//! - [`Observer`]: reads a topic without joining a group
//! - [`topics`]: makes the topics a file lists
//! - [`EmbeddedBroker`]: a broker inside this process, for `oms run` and for tests
//!
//! librdkafka works on threads of its own. Whatever of it can block is called on tokio's threads
//! for blocking work, never on the async ones.

mod aside;
mod bridge;
mod config;
mod consumer;
mod embedded;
mod forwarder;
mod log;
mod membership;
mod observer;
mod producer;
mod settings;
#[cfg(test)]
mod tests;
pub mod topics;
mod watermarks;

pub use embedded::EmbeddedBroker;
pub use log::KafkaLog;
pub use observer::{From, ObserveError, Observer};
pub use settings::KafkaSettings;
