//! Looking at a topic without taking part: no group is joined, no position is committed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, Utc};
use futures::{FutureExt, StreamExt};
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{Consumer, ConsumerContext, StreamConsumer},
    error::{KafkaError, KafkaResult},
};
use tokio::time::{Instant, timeout_at};

use super::{KafkaSettings, aside, bridge::Bridge, config, consumer, watermarks};
use crate::{Delivery, LogError, log::Partition};

impl ConsumerContext for Bridge {}

/// The protocol's client wants a group's name, also of who joins none.
const GROUP: &str = "oms-observer";

/// Where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// The oldest record there is.
    Beginning,
    /// What was written at this instant or later.
    Time(DateTime<Utc>),
    /// What comes from now on.
    End,
}

/// Why a topic cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ObserveError {
    /// librdkafka does not take the settings; the property is named where it says which.
    #[error("{0}")]
    Refused(String),
    /// There is no such topic.
    #[error("there is no topic {topic} at {bootstrap}")]
    NoTopic {
        /// The topic.
        topic: String,
        /// The broker that was asked.
        bootstrap: String,
    },
    /// No broker answers, or not in time.
    #[error("cannot read from {bootstrap}: {reason}")]
    Unreachable {
        /// The broker that was asked.
        bootstrap: String,
        /// What librdkafka said.
        reason: String,
    },
}

/// Reads all partitions of one topic. Records of one key come in order.
pub struct Observer {
    /// Taken when it is dropped, which blocks.
    consumer: Option<Arc<StreamConsumer<Bridge>>>,
    partitions: BTreeSet<i32>,
    ended: BTreeSet<i32>,
    since: Option<DateTime<Utc>>,
}

impl Observer {
    /// Begins to read `topic`.
    ///
    /// # Errors
    /// When the settings make no sense, no broker answers in time, or there is no such topic.
    pub async fn open(
        settings: &KafkaSettings,
        topic: &str,
        from: From,
    ) -> Result<Self, ObserveError> {
        let bootstrap = settings.bootstrap.clone();
        let mut client = config::consumer(settings, GROUP);
        client.set("enable.auto.commit", "false").set("enable.partition.eof", "true");
        let consumer: StreamConsumer<Bridge> = config::open(|| client.create_with_context(Bridge))
            .map_err(|LogError(why)| ObserveError::Refused(why))?;
        let consumer = Arc::new(consumer);
        let timeout = Duration::from_millis(settings.request_timeout_ms);
        let (assigned, name) = (consumer.clone(), topic.to_owned());
        let opened = aside::blocking(move || assign(&assigned, &name, from, timeout)).await;
        let opened = opened.and_then(|opened| opened.map_err(|why| LogError(why.to_string())));
        let since = if let From::Time(since) = from { Some(since) } else { None };
        match opened {
            Err(LogError(reason)) => Err(ObserveError::Unreachable { bootstrap, reason }),
            Ok(none) if none.is_empty() => {
                Err(ObserveError::NoTopic { topic: topic.to_owned(), bootstrap })
            }
            Ok(partitions) => {
                Ok(Self { consumer: Some(consumer), partitions, ended: BTreeSet::new(), since })
            }
        }
    }

    /// Waits up to `wait` for a first record, then returns what is there, at most `max`.
    ///
    /// # Errors
    /// When the topic cannot be read now; worth another try.
    pub async fn poll(&mut self, max: usize, wait: Duration) -> Result<Vec<Delivery>, LogError> {
        let Some(reader) = self.consumer.clone() else { return Ok(Vec::new()) };
        let (mut messages, deadline) = (reader.stream(), Instant::now() + wait);
        let mut taken = Vec::new();
        while taken.len() < max {
            let next = if taken.is_empty() {
                timeout_at(deadline, messages.next()).await.ok().flatten()
            } else {
                messages.next().now_or_never().flatten()
            };
            match next {
                None => break,
                Some(Ok(message)) => {
                    let delivery = consumer::delivery(&message);
                    let early = self.since.is_some_and(|since| {
                        delivery.written_at.is_some_and(|written| written < since)
                    });
                    if !early {
                        taken.push(delivery);
                    }
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    self.ended.insert(partition);
                    if self.has_caught_up() {
                        break;
                    }
                }
                Some(Err(error)) if consumer::mends_itself(&error) => {
                    tracing::debug!(target: "kafka", %error, "still waiting");
                }
                Some(Err(error)) if taken.is_empty() => return Err(LogError(error.to_string())),
                // What was taken must not be lost; the trouble comes again.
                Some(Err(_)) => break,
            }
        }
        Ok(taken)
    }

    /// Whether everything that was there at the beginning has been read.
    #[must_use]
    pub fn has_caught_up(&self) -> bool {
        self.ended == self.partitions
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        if let Some(consumer) = self.consumer.take() {
            aside::drop_aside(consumer);
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observer")
            .field("partitions", &self.partitions)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

/// Assigns every partition of the topic to the consumer, from where it shall begin; none where
/// there is no such topic. All topics are asked for: a broker may make one that is asked for by its
/// name.
fn assign(
    consumer: &StreamConsumer<Bridge>,
    topic: &str,
    from: From,
    timeout: Duration,
) -> KafkaResult<BTreeSet<i32>> {
    let metadata = consumer.fetch_metadata(None, timeout)?;
    let found = metadata.topics().iter().find(|found| found.name() == topic);
    let partitions: BTreeSet<i32> = found
        .filter(|found| found.error().is_none())
        .map(|found| found.partitions().iter().map(|partition| partition.id()).collect())
        .unwrap_or_default();
    if partitions.is_empty() {
        return Ok(partitions);
    }
    let names: Vec<Partition> =
        partitions.iter().map(|&number| Partition { topic: topic.to_owned(), number }).collect();
    let begin = beginnings(consumer, &names, from, timeout)?;
    let mut list = TopicPartitionList::new();
    for partition in &names {
        let at = begin.get(partition).map_or(Offset::Beginning, |&offset| Offset::Offset(offset));
        list.add_partition_offset(topic, partition.number, at)?;
    }
    consumer.assign(&list)?;
    Ok(partitions)
}

/// The first offset to read, per partition; the beginning where none is given.
fn beginnings(
    consumer: &StreamConsumer<Bridge>,
    partitions: &[Partition],
    from: From,
    timeout: Duration,
) -> KafkaResult<BTreeMap<Partition, i64>> {
    let ask = |at: Offset| {
        let list = watermarks::list(partitions.iter(), at)?;
        watermarks::offsets(&consumer.offsets_for_times(list, timeout)?)
    };
    match from {
        From::Beginning => Ok(BTreeMap::new()),
        From::End => ask(Offset::End),
        From::Time(since) => {
            let found = ask(Offset::Offset(since.timestamp_millis().max(0)))?;
            // Nothing found in any partition: nothing is that young, or the broker knows no times
            // (the embedded one). Then all is read, and what is too old is left out.
            if found.is_empty() {
                return Ok(found);
            }
            let mut ends = ask(Offset::End)?;
            ends.extend(found);
            Ok(ends)
        }
    }
}
