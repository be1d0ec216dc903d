//! A log in memory whose every failure a test decides.
//!
//! [`SimulatedLog`] keeps the same contract as [`crate::kafka::KafkaLog`] (one suite holds both),
//! and nothing in it happens by itself: no thread, no clock, no chance. Where Kafka leaves a
//! choice, it takes the harsh one: a dropped subscription is a crash that loses what was stored
//! since the last poll, and a rebalance takes partitions away at once.

mod group;
mod log;
mod partitioner;
mod state;
mod subscription;

pub use log::SimulatedLog;
