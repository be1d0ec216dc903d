//! Which partitions a group member holds, as librdkafka's rebalance callbacks tell it.
//!
//! The callbacks run inside the member's own polls, so what is held changes between polls only.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use rdkafka::{
    ClientContext, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance},
    error::{KafkaError, KafkaResult},
    types::RDKafkaErrorCode,
};

use super::bridge;
use crate::log::Partition;

/// A member's context.
#[derive(Debug, Default)]
pub(super) struct Membership {
    held: Mutex<BTreeMap<Partition, Place>>,
    revocations: AtomicU64,
    commit_failure: Mutex<Option<String>>,
}

/// What this member did with a partition since it got it.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    stored: Option<i64>,
    paused: bool,
}

impl Membership {
    /// The partitions held now.
    pub(super) fn held(&self) -> Vec<Partition> {
        lock(&self.held).keys().cloned().collect()
    }

    /// Whether this member holds the partition.
    pub(super) fn holds(&self, partition: &Partition) -> bool {
        lock(&self.held).contains_key(partition)
    }

    /// The partitions held now, with what was stored of each since it was assigned.
    pub(super) fn positions(&self) -> Vec<(Partition, Option<i64>)> {
        lock(&self.held).iter().map(|(at, place)| (at.clone(), place.stored)).collect()
    }

    /// How often partitions were taken away.
    pub(super) fn revocations(&self) -> u64 {
        self.revocations.load(Ordering::Relaxed)
    }

    /// Notes a stored position.
    pub(super) fn note_stored(&self, partition: &Partition, next: i64) {
        if let Some(place) = lock(&self.held).get_mut(partition) {
            place.stored = Some(next);
        }
    }

    /// Notes whether delivery is stopped.
    pub(super) fn note_paused(&self, partition: &Partition, paused: bool) {
        if let Some(place) = lock(&self.held).get_mut(partition) {
            place.paused = paused;
        }
    }

    /// Why the last commit failed, if it did.
    pub(super) fn commit_failure(&self) -> Option<String> {
        lock(&self.commit_failure).clone()
    }

    /// Gives partitions up. librdkafka remembers a pause beyond the revocation; a partition that
    /// comes back would stay silent.
    fn give_up(&self, consumer: &BaseConsumer<Self>, revoked: Vec<Partition>) {
        self.revocations.fetch_add(1, Ordering::Relaxed);
        let mut paused = TopicPartitionList::new();
        for partition in revoked {
            if lock(&self.held).remove(&partition).is_some_and(|place| place.paused) {
                paused.add_partition(&partition.topic, partition.number);
            }
        }
        if paused.count() > 0
            && let Err(error) = consumer.resume(&paused)
        {
            tracing::debug!(target: "kafka", %error, "could not resume what was revoked");
        }
    }
}

impl ClientContext for Membership {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        bridge::log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        bridge::note(&error, reason);
    }
}

impl ConsumerContext for Membership {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Revoke(list) => self.give_up(consumer, partitions(list)),
            Rebalance::Assign(_) | Rebalance::Error(_) => {}
        }
    }

    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(list) => {
                let fresh = partitions(list).into_iter().map(|at| (at, Place::default()));
                lock(&self.held).extend(fresh);
            }
            Rebalance::Revoke(_) => {}
            Rebalance::Error(error) => tracing::warn!(target: "kafka", %error, "rebalance failed"),
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, _: &TopicPartitionList) {
        let failure = match result {
            Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset)) | Ok(()) => None,
            Err(error) => Some(error.to_string()),
        };
        if let Some(error) = &failure {
            tracing::debug!(target: "kafka", error, "offsets not committed; tried again");
        }
        *lock(&self.commit_failure) = failure;
    }
}

fn partitions(list: &TopicPartitionList) -> Vec<Partition> {
    let named = |topic: &str, number| Partition { topic: topic.to_owned(), number };
    list.elements().iter().map(|element| named(element.topic(), element.partition())).collect()
}

/// Nothing is left half-changed when a holder panics, so a poisoned lock is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
