//! The relay: what the outbox holds reaches the log, at least once and in order per stream
//! (rule 9, I6).

mod due;
mod publisher;

pub use publisher::Relay;
