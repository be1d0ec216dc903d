//! The bounds and intervals of messaging. Every one has its unit in its name.

use serde::{Deserialize, Serialize};

/// How the trace of an event goes on where the event is applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConsumeTrace {
    /// In the same trace: what a customer did is one trace through all services.
    #[default]
    Parent,
    /// In a trace of its own, which links to the one that brought the event: many short traces
    /// instead of a long one.
    Link,
}

/// Settings of one service's messaging; the defaults fit both arrangements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MessagingSettings {
    /// Events in one transaction of the consumer.
    pub consume_batch_max: usize,
    /// Transactions of the consumer at the same time, each over partitions of its own; 0 is what
    /// fits the database: one on SQLite, which has one writer, and four on PostgreSQL.
    pub consume_parallel_max: usize,
    /// How the trace of an event goes on where it is applied.
    pub consume_trace: ConsumeTrace,
    /// How long the consumer waits for a first event, in milliseconds.
    pub poll_wait_ms: u64,
    /// Records in one publish of the relay.
    pub relay_batch_max: u64,
    /// Least time from one publication of the relay to the next, in milliseconds, and at least
    /// twice what the first one took: what is committed meanwhile travels together. One that
    /// follows a longer silence waits for nothing.
    pub relay_pause_ms: u64,
    /// How often the relay looks for rows nobody woke it for, in milliseconds.
    pub relay_sweep_ms: u64,
    /// How long the relay publishes on after it was told to stop, in milliseconds.
    pub relay_flush_ms_max: u64,
    /// How long a lease holds without renewal, in milliseconds.
    pub lease_ms: u64,
    /// First delay before a transient failure is retried, in milliseconds.
    pub retry_delay_ms_min: u64,
    /// Longest delay between retries, in milliseconds.
    pub retry_delay_ms_max: u64,
    /// Tries of an unclassified failure before it counts as poison.
    pub retry_unclassified_max: u32,
    /// How long a record the broker refused waits before it is offered again, in milliseconds.
    pub refused_delay_ms: u64,
    /// Silence after which a waiting service asks, in milliseconds.
    pub ask_after_ms: u64,
    /// Longest time between two asks about one stream, in milliseconds.
    pub ask_delay_ms_max: u64,
    /// Streams asked about in one sweep.
    pub ask_batch_max: u64,
    /// How often the asker looks, in milliseconds.
    pub ask_sweep_ms: u64,
    /// How long rows of an ended stream are kept, in hours; at least the topic's retention.
    pub retention_hours: u64,
    /// Streams cleaned in one sweep.
    pub retention_batch_max: u64,
    /// How often retention looks, in milliseconds.
    pub retention_sweep_ms: u64,
}

impl Default for MessagingSettings {
    fn default() -> Self {
        Self {
            consume_batch_max: 100,
            consume_parallel_max: 0,
            consume_trace: ConsumeTrace::Parent,
            poll_wait_ms: 100,
            relay_batch_max: 500,
            relay_pause_ms: 5,
            relay_sweep_ms: 500,
            relay_flush_ms_max: 2_000,
            lease_ms: 5_000,
            retry_delay_ms_min: 50,
            retry_delay_ms_max: 5_000,
            retry_unclassified_max: 5,
            refused_delay_ms: 60_000,
            ask_after_ms: 30_000,
            ask_delay_ms_max: 300_000,
            ask_batch_max: 200,
            ask_sweep_ms: 1_000,
            retention_hours: 24 * 7,
            retention_batch_max: 200,
            retention_sweep_ms: 60_000,
        }
    }
}

impl MessagingSettings {
    /// Every violation, as `key: what is wrong`; `at` is the path of this section.
    #[must_use]
    pub fn violations(&self, at: &str) -> Vec<String> {
        let positive = [
            ("consume_batch_max", self.consume_batch_max as u64),
            ("poll_wait_ms", self.poll_wait_ms),
            ("relay_batch_max", self.relay_batch_max),
            ("relay_sweep_ms", self.relay_sweep_ms),
            ("relay_flush_ms_max", self.relay_flush_ms_max),
            ("lease_ms", self.lease_ms),
            ("retry_delay_ms_min", self.retry_delay_ms_min),
            ("retry_delay_ms_max", self.retry_delay_ms_max),
            ("retry_unclassified_max", u64::from(self.retry_unclassified_max)),
            ("refused_delay_ms", self.refused_delay_ms),
            ("ask_after_ms", self.ask_after_ms),
            ("ask_delay_ms_max", self.ask_delay_ms_max),
            ("ask_batch_max", self.ask_batch_max),
            ("ask_sweep_ms", self.ask_sweep_ms),
            ("retention_hours", self.retention_hours),
            ("retention_batch_max", self.retention_batch_max),
            ("retention_sweep_ms", self.retention_sweep_ms),
        ];
        positive
            .into_iter()
            .filter(|(_, value)| *value == 0)
            .map(|(key, _)| format!("{at}.{key}: must be greater than zero"))
            .collect()
    }
}
