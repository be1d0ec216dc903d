//! A queue per partition: what was read and is not done with, and which partitions wait.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, Utc};

use super::{incoming::Incoming, worker::Held};
use crate::log::Partition;

/// A partition's queue. Records leave it only when they are done with.
#[derive(Debug, Default)]
struct Lane {
    /// The number of the partition's assignment.
    assignment: u64,
    queue: VecDeque<Arc<Incoming>>,
    trouble: Option<Trouble>,
}

/// The head of a lane failed and waits.
#[derive(Clone, Copy, Debug)]
struct Trouble {
    /// Failures in a row.
    attempt: u32,
    /// How many of them were unclassified.
    unclassified: u32,
    since: DateTime<Utc>,
    delay: Duration,
}

impl Trouble {
    fn waits(&self, now: DateTime<Utc>) -> Duration {
        // A clock that was set back must not make anybody wait longer.
        let passed = (now - self.since).to_std().unwrap_or(self.delay);
        self.delay.saturating_sub(passed)
    }
}

/// All partitions of one worker.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    lanes: BTreeMap<Partition, Lane>,
    turn: usize,
}

impl Lanes {
    /// Queues a record. Returns false when its partition should be paused: it delivers although it
    /// waits.
    pub(super) fn accept(&mut self, record: Arc<Incoming>) -> bool {
        let lane = self.lanes.entry(record.delivery.partition.clone()).or_default();
        if lane.assignment != record.assignment {
            // It was somebody else's in between: what is queued is done, or comes again.
            *lane = Lane { assignment: record.assignment, ..Lane::default() };
        }
        let offset = record.delivery.offset;
        // The position was set back, by a rebalance or a log that begins anew: what is delivered
        // from there on takes the place of what was delivered before.
        while lane.queue.back().is_some_and(|last| last.delivery.offset >= offset) {
            lane.queue.pop_back();
        }
        lane.queue.push_back(record);
        lane.trouble.is_none()
    }

    /// Forgets partitions that are somebody else's now.
    pub(super) fn retain(&mut self, held: &Held) {
        self.lanes.retain(|partition, lane| held.get(partition) == Some(&lane.assignment));
    }

    /// Up to `max` records of partitions that do not wait, in order per partition.
    pub(super) fn batch(&mut self, max: usize) -> Vec<Arc<Incoming>> {
        // Begins with another partition each time, so that a long queue cannot starve the others.
        let count = self.lanes.len().max(1);
        self.turn = (self.turn + 1) % count;
        let turn = self.lanes.values().cycle().skip(self.turn).take(self.lanes.len());
        let healthy = turn.filter(|lane| lane.trouble.is_none());
        healthy.flat_map(|lane| lane.queue.iter()).take(max).cloned().collect()
    }

    /// The heads of partitions that have waited long enough, with their unclassified failures.
    pub(super) fn probes(&self, now: DateTime<Utc>) -> Vec<(Arc<Incoming>, u32)> {
        let due = |lane: &Lane| {
            let trouble = lane.trouble.filter(|trouble| trouble.waits(now).is_zero())?;
            Some((Arc::clone(lane.queue.front()?), trouble.unclassified))
        };
        self.lanes.values().filter_map(due).collect()
    }

    /// The record at this place is done with. Returns whether the partition had waited.
    pub(super) fn done(&mut self, record: &Incoming) -> bool {
        let Some(lane) = self.lanes.get_mut(&record.delivery.partition) else { return false };
        while lane.queue.front().is_some_and(|r| r.delivery.offset <= record.delivery.offset) {
            lane.queue.pop_front();
        }
        lane.trouble.take().is_some()
    }

    /// The head of a partition failed: it waits. Returns the number of failures in a row.
    pub(super) fn failed(
        &mut self,
        partition: &Partition,
        unclassified: bool,
        now: DateTime<Utc>,
        delay: impl Fn(u32) -> Duration,
    ) -> u32 {
        let Some(lane) = self.lanes.get_mut(partition) else { return 0 };
        let before = lane.trouble.map_or((0, 0), |t| (t.attempt, t.unclassified));
        let attempt = before.0.saturating_add(1);
        lane.trouble = Some(Trouble {
            attempt,
            unclassified: before.1.saturating_add(u32::from(unclassified)),
            since: now,
            delay: delay(attempt),
        });
        attempt
    }

    /// Whether the partition waits.
    pub(super) fn waits(&self, partition: &Partition) -> bool {
        self.lanes.get(partition).is_some_and(|lane| lane.trouble.is_some())
    }

    /// Partitions that wait.
    pub(super) fn waiting(&self) -> usize {
        self.lanes.values().filter(|lane| lane.trouble.is_some()).count()
    }

    /// Records that wait for nothing but their turn.
    pub(super) fn ready(&self) -> usize {
        let healthy = self.lanes.values().filter(|lane| lane.trouble.is_none());
        healthy.map(|lane| lane.queue.len()).sum()
    }

    /// How long until the next partition may be tried again.
    pub(super) fn next_probe(&self, now: DateTime<Utc>) -> Option<Duration> {
        self.lanes.values().filter_map(|lane| lane.trouble.map(|t| t.waits(now))).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Delivery, Record, consumer::incoming::What};

    fn record(offset: i64) -> Arc<Incoming> {
        let partition = Partition { topic: "t".to_owned(), number: 0 };
        let record =
            Record { topic: "t".to_owned(), key: None, payload: Vec::new(), headers: Vec::new() };
        Arc::new(Incoming {
            delivery: Delivery { partition, offset, written_at: None, record },
            assignment: 1,
            stream: None,
            ask: false,
            what: What::Ignored,
            identity: String::new(),
            event_type: String::new(),
        })
    }

    fn queued(lanes: &mut Lanes) -> Vec<i64> {
        lanes.batch(100).iter().map(|record| record.delivery.offset).collect()
    }

    #[test]
    fn what_is_delivered_again_takes_the_place_of_what_was_delivered_before() {
        let mut lanes = Lanes::default();
        for offset in [5, 6, 7, 6, 7, 8] {
            assert!(lanes.accept(record(offset)));
        }
        assert_eq!(queued(&mut lanes), [5, 6, 7, 8], "set back into the queue");
        for offset in [0, 1] {
            lanes.accept(record(offset));
        }
        assert_eq!(queued(&mut lanes), [0, 1], "set back before the queue");
    }

    #[test]
    fn a_partition_that_waits_keeps_its_queue_and_its_tries() {
        let mut lanes = Lanes::default();
        let (now, second) = (DateTime::UNIX_EPOCH, Duration::from_secs(1));
        let records = [1, 2].map(record);
        for one in &records {
            lanes.accept(Arc::clone(one));
        }
        let at = &records[0].delivery.partition;
        assert_eq!(lanes.failed(at, true, now, |attempt| second * attempt), 1);
        assert_eq!(lanes.failed(at, false, now, |attempt| second * attempt), 2);
        assert!(!lanes.accept(record(3)), "should be paused");
        assert!(queued(&mut lanes).is_empty());
        assert_eq!(lanes.next_probe(now + second), Some(second));
        assert!(lanes.probes(now + second).is_empty());
        let probes = lanes.probes(now + second * 2);
        assert_eq!((probes[0].0.delivery.offset, probes[0].1), (1, 1));
        assert_eq!(lanes.probes(now - second).len(), 1, "a clock set back makes nobody wait");
        assert!(lanes.done(&records[0]));
        assert_eq!(queued(&mut lanes), [2, 3]);
    }
}
