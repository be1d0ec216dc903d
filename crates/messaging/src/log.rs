//! The log that joins the services, as this crate sees it.
//!
//! Two implementations: [`crate::kafka`], which serves Apache Kafka and the embedded broker alike,
//! and [`crate::simulated`], whose every delivery a test decides. One contract suite holds both.

use std::{fmt::Debug, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

/// A record to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The topic.
    pub topic: String,
    /// Decides the partition; records of one key keep their order.
    pub key: Option<Vec<u8>>,
    /// The value.
    pub payload: Vec<u8>,
    /// Header names and values, in order.
    pub headers: Vec<(String, Vec<u8>)>,
}

/// A partition of a topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition {
    /// The topic.
    pub topic: String,
    /// Its number, from 0.
    pub number: i32,
}

/// A record as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Where it was read.
    pub partition: Partition,
    /// Its position there.
    pub offset: i64,
    /// When the broker or the producer says it was written.
    pub written_at: Option<DateTime<Utc>>,
    /// The record itself.
    pub record: Record,
}

impl Delivery {
    /// The first header of that name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.record.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_slice())
    }
}

/// Why a record was not published.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PublishError {
    /// The broker is away or slow; publish again.
    #[error("not delivered: {0}")]
    Unavailable(String),
    /// The broker will never take this record (too large, malformed).
    #[error("refused: {0}")]
    Refused(String),
}

/// The log cannot be read or reached now. Always worth another try.
#[derive(Clone, Debug, thiserror::Error)]
#[error("log: {0}")]
pub struct LogError(pub String);

/// A partitioned, ordered, replayable log.
#[async_trait]
pub trait Log: Debug + Send + Sync {
    /// Publishes in the given order per key and returns, for each record, its delivery report. A
    /// record is delivered once it is as durable as the broker can make it. One that is not holds
    /// back the rest of its key in the batch: those are [`PublishError::Unavailable`] and were not
    /// sent. Never more than the adapter's bound on unsent bytes is buffered.
    async fn publish(&self, records: Vec<Record>) -> Vec<Result<(), PublishError>>;

    /// Joins a consumer group. Partitions arrive with later polls.
    ///
    /// # Errors
    /// When the subscription itself is impossible.
    async fn subscribe(
        &self,
        group: &str,
        topics: &[&str],
    ) -> Result<Box<dyn Subscription>, LogError>;

    /// Whether the broker answers.
    ///
    /// # Errors
    /// When it does not, with what to tell people.
    async fn ping(&self) -> Result<(), LogError>;
}

/// A consumer group member's view of the log.
#[async_trait]
pub trait Subscription: Send {
    /// Waits up to `wait` for a first record, then returns what is there, at most `max`, in order
    /// per partition. Returns at once when partitions were taken away, so that their absence from
    /// [`Subscription::assigned`] is seen before they can come back; nothing of them is returned.
    /// Nothing is lost when a poll under way is dropped.
    ///
    /// # Errors
    /// When the log cannot be read now.
    async fn poll(&mut self, max: usize, wait: Duration) -> Result<Vec<Delivery>, LogError>;

    /// Notes that everything before `next` in the partition is done; it is committed to the broker
    /// soon, and when the subscription is closed.
    ///
    /// # Errors
    /// When the partition is no longer this member's; harmless, its new owner reads again.
    fn store(&mut self, partition: &Partition, next: i64) -> Result<(), LogError>;

    /// Stops delivery from a partition.
    ///
    /// # Errors
    /// When the partition is no longer this member's.
    fn pause(&mut self, partition: &Partition) -> Result<(), LogError>;

    /// Delivers from a paused partition again, after the last delivered record. A partition that
    /// was taken away comes back running.
    ///
    /// # Errors
    /// When the partition is no longer this member's.
    fn resume(&mut self, partition: &Partition) -> Result<(), LogError>;

    /// The partitions this member has now; none before the group has settled.
    fn assigned(&self) -> Vec<Partition>;

    /// Records between the stored positions and the end, per partition; `None` while unknown.
    /// A member has caught up when it is zero for every assigned partition.
    async fn lag(&mut self) -> Result<Option<Vec<(Partition, i64)>>, LogError>;

    /// Commits what was stored and leaves the group. A subscription that is dropped instead leaves
    /// the group too, sooner or later, and what it stored last may be read again.
    ///
    /// # Errors
    /// When the broker did not take the positions; their records are read again.
    async fn close(self: Box<Self>) -> Result<(), LogError>;
}
