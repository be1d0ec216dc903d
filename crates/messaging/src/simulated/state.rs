//! What the simulated log remembers.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use chrono::{DateTime, Utc};

use super::{group::Group, partitioner::partition_of};
use crate::{Delivery, LogError, PublishError, Record, log::Partition};

/// A record in the log; its offset is its place in the partition.
#[derive(Clone, Debug)]
struct Entry {
    /// Counts all records ever appended.
    appended: u64,
    written_at: Option<DateTime<Utc>>,
    record: Record,
}

/// The log, its groups, and what a test asked to go wrong.
#[derive(Debug, Default)]
pub(super) struct State {
    topics: BTreeMap<String, Vec<Vec<Entry>>>,
    groups: BTreeMap<String, Group>,
    appended: u64,
    members: u64,
    /// Nothing answers.
    pub(super) down: bool,
    /// Records still to fail without being appended.
    pub(super) failing: u64,
    /// Records still to be appended and yet reported as failed.
    pub(super) swallowing: u64,
    /// Larger records are refused.
    pub(super) record_bytes_max: usize,
}

impl State {
    /// An empty log with these topics.
    pub(super) fn new(topics: &[(&str, i32)], record_bytes_max: usize) -> Self {
        let partitions = |count: i32| vec![Vec::new(); usize::try_from(count).unwrap_or(0).max(1)];
        let topics =
            topics.iter().map(|(name, count)| ((*name).to_owned(), partitions(*count))).collect();
        Self { topics, record_bytes_max, ..Self::default() }
    }

    /// Fails when the log is down.
    pub(super) fn reach(&self) -> Result<(), LogError> {
        if self.down { Err(LogError("the log is down".to_owned())) } else { Ok(()) }
    }

    /// Publishes a batch. A record that is not delivered holds back the rest of its key.
    pub(super) fn publish(
        &mut self,
        records: Vec<Record>,
        now: Option<DateTime<Utc>>,
    ) -> Vec<Result<(), PublishError>> {
        let mut refused = HashSet::new();
        let mut undelivered = HashSet::new();
        let mut reports = Vec::with_capacity(records.len());
        for record in records {
            let chain = record.key.clone().map(|key| (record.topic.clone(), key));
            let report = match &chain {
                Some(chain) if refused.contains(chain) => {
                    Err(PublishError::Unavailable("behind a refused record".to_owned()))
                }
                Some(chain) if undelivered.contains(chain) => {
                    Err(PublishError::Unavailable("behind an undelivered record".to_owned()))
                }
                _ => self.publish_one(record, now),
            };
            match (&report, chain) {
                (Err(PublishError::Refused(_)), Some(chain)) => {
                    refused.insert(chain);
                }
                (Err(PublishError::Unavailable(_)), Some(chain)) if !refused.contains(&chain) => {
                    undelivered.insert(chain);
                }
                _ => {}
            }
            reports.push(report);
        }
        reports
    }

    fn publish_one(
        &mut self,
        record: Record,
        now: Option<DateTime<Utc>>,
    ) -> Result<(), PublishError> {
        let unavailable = |why: &str| Err(PublishError::Unavailable(why.to_owned()));
        let headers: usize = record.headers.iter().map(|(k, v)| k.len() + v.len()).sum();
        let bytes = record.key.as_ref().map_or(0, Vec::len) + record.payload.len() + headers;
        if bytes > self.record_bytes_max {
            return Err(PublishError::Refused(format!("{bytes} bytes are too many")));
        }
        if self.down {
            return unavailable("the log is down");
        }
        if self.failing > 0 {
            self.failing -= 1;
            return unavailable("failed on request");
        }
        if !self.append(record, now) {
            return unavailable("unknown topic");
        }
        if self.swallowing > 0 {
            self.swallowing -= 1;
            return unavailable("no answer, on request");
        }
        Ok(())
    }

    fn append(&mut self, record: Record, written_at: Option<DateTime<Utc>>) -> bool {
        let appended = self.appended;
        let Some(partitions) = self.topics.get_mut(&record.topic) else { return false };
        let index = match &record.key {
            Some(key) => partition_of(key, partitions.len()),
            None => usize::try_from(appended).unwrap_or(0) % partitions.len(),
        };
        partitions[index].push(Entry { appended, written_at, record });
        self.appended += 1;
        true
    }

    /// Every record of a topic, in the order they were appended.
    pub(super) fn records(&self, topic: &str) -> Vec<Delivery> {
        let mut all: Vec<(u64, Delivery)> = self
            .partitions()
            .into_iter()
            .filter(|partition| partition.topic == topic)
            .flat_map(|partition| {
                let entries = self.entries(&partition).iter().enumerate();
                entries
                    .map(|(offset, entry)| (entry.appended, deliver(&partition, offset, entry)))
                    .collect::<Vec<_>>()
            })
            .collect();
        all.sort_by_key(|(appended, _)| *appended);
        all.into_iter().map(|(_, delivery)| delivery).collect()
    }

    /// Loses every record and every offset.
    pub(super) fn lose_all(&mut self) {
        self.topics.values_mut().flatten().for_each(Vec::clear);
        self.groups.values_mut().for_each(Group::forget);
    }

    /// Loses the last `count` records that were appended and are still there.
    pub(super) fn lose_tail(&mut self, count: usize) {
        let entries = self.topics.values().flatten().flatten();
        let mut appended: Vec<u64> = entries.map(|entry| entry.appended).collect();
        appended.sort_unstable();
        let Some(first_lost) = appended.iter().rev().take(count).next_back().copied() else {
            return;
        };
        let tail = |entries: &mut Vec<Entry>| entries.retain(|entry| entry.appended < first_lost);
        self.topics.values_mut().flatten().for_each(tail);
    }

    /// Puts a group back (or forward) to an offset of every partition.
    pub(super) fn reset(&mut self, group: &str, to: i64) {
        let all = self.partitions();
        self.groups.entry(group.to_owned()).or_default().reset(&all, to);
    }

    /// A new member's number. It joins with its first poll.
    pub(super) fn next_member(&mut self) -> u64 {
        self.members += 1;
        self.members
    }

    /// Joins the group if need be. True when that moved partitions.
    pub(super) fn join(&mut self, group: &str, member: u64, topics: &BTreeSet<String>) -> bool {
        let all = self.partitions();
        let group = self.groups.entry(group.to_owned()).or_default();
        let fresh = !group.has(member);
        if fresh {
            group.join(member, topics, &all);
        }
        fresh
    }

    /// Leaves the group.
    pub(super) fn leave(&mut self, group: &str, member: u64) {
        let all = self.partitions();
        if let Some(group) = self.groups.get_mut(group) {
            group.leave(member, &all);
        }
    }

    /// The group, which exists once somebody polled.
    pub(super) fn group(&mut self, group: &str) -> &mut Group {
        self.groups.entry(group.to_owned()).or_default()
    }

    /// The next records for a member, beginning behind the partition served last.
    pub(super) fn take(
        &mut self,
        group: &str,
        member: u64,
        served: &mut Option<Partition>,
        max: usize,
    ) -> Vec<Delivery> {
        let mut order: Vec<Partition> =
            self.group(group).held(member).map(|(partition, _)| partition.clone()).collect();
        let behind = order.iter().take_while(|p| served.as_ref().is_some_and(|s| *p <= s)).count();
        order.rotate_left(behind);
        let mut taken = Vec::new();
        for partition in order {
            let room = max - taken.len();
            let end = self.end(&partition);
            let Some(place) = self.group(group).place(member, &partition) else { continue };
            if place.paused || room == 0 {
                continue;
            }
            if place.next > end {
                // The log was cut below this member's position: it begins again.
                place.next = 0;
            }
            let from = usize::try_from(place.next).unwrap_or(0);
            let deliveries: Vec<Delivery> = self.entries(&partition)[from..]
                .iter()
                .take(room)
                .enumerate()
                .map(|(index, entry)| deliver(&partition, from + index, entry))
                .collect();
            if let Some(last) = deliveries.last() {
                let next = last.offset + 1;
                if let Some(place) = self.group(group).place(member, &partition) {
                    place.next = next;
                }
                *served = Some(partition);
            }
            taken.extend(deliveries);
        }
        taken
    }

    /// How far a member is behind; nothing while it holds nothing.
    pub(super) fn lag(&self, group: &str, member: u64) -> Option<Vec<(Partition, i64)>> {
        let group = self.groups.get(group)?;
        let behind = |(partition, place)| {
            let end = self.end(partition);
            let position = group.position(partition, place).filter(|at| (0..=end).contains(at));
            (partition.clone(), end - position.unwrap_or(0))
        };
        let lag: Vec<_> = group.held(member).map(behind).collect();
        (!lag.is_empty()).then_some(lag)
    }

    fn end(&self, partition: &Partition) -> i64 {
        i64::try_from(self.entries(partition).len()).unwrap_or(i64::MAX)
    }

    fn entries(&self, partition: &Partition) -> &[Entry] {
        let index = usize::try_from(partition.number).unwrap_or(usize::MAX);
        self.topics
            .get(&partition.topic)
            .and_then(|partitions| partitions.get(index))
            .map_or(&[], Vec::as_slice)
    }

    fn partitions(&self) -> Vec<Partition> {
        let of = |(topic, partitions): (&String, &Vec<Vec<Entry>>)| {
            let count = i32::try_from(partitions.len()).unwrap_or(i32::MAX);
            let topic = topic.clone();
            (0..count).map(move |number| Partition { topic: topic.clone(), number })
        };
        self.topics.iter().flat_map(of).collect()
    }
}

fn deliver(partition: &Partition, offset: usize, entry: &Entry) -> Delivery {
    Delivery {
        partition: partition.clone(),
        offset: i64::try_from(offset).unwrap_or(i64::MAX),
        written_at: entry.written_at,
        record: entry.record.clone(),
    }
}
