//! Consumer groups: who reads what, and from where.

use std::collections::{BTreeMap, BTreeSet};

use crate::log::Partition;

/// A consumer group.
#[derive(Debug, Default)]
pub(super) struct Group {
    committed: BTreeMap<Partition, i64>,
    members: BTreeMap<u64, Member>,
}

/// A member that has joined.
#[derive(Debug)]
struct Member {
    topics: BTreeSet<String>,
    held: BTreeMap<Partition, Place>,
    /// Partitions were taken away since the last poll.
    robbed: bool,
}

/// Where a member is in a partition.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The next record to deliver.
    pub(super) next: i64,
    /// What was stored since the last commit.
    pub(super) stored: Option<i64>,
    /// Whether delivery is stopped.
    pub(super) paused: bool,
    /// Dealt since the last poll, which shows it to the member.
    fresh: bool,
}

impl Group {
    /// Whether the member has joined.
    pub(super) fn has(&self, member: u64) -> bool {
        self.members.contains_key(&member)
    }

    /// Takes a member in and deals the partitions anew.
    pub(super) fn join(&mut self, member: u64, topics: &BTreeSet<String>, all: &[Partition]) {
        let (topics, held) = (topics.clone(), BTreeMap::new());
        self.members.insert(member, Member { topics, held, robbed: false });
        self.deal(all);
    }

    /// Lets a member go and deals its partitions to the others.
    pub(super) fn leave(&mut self, member: u64, all: &[Partition]) {
        self.members.remove(&member);
        self.deal(all);
    }

    /// Shows a polling member what it was dealt. When something was taken away it sees that first:
    /// false, and what is new comes with its next poll.
    pub(super) fn show(&mut self, member: u64) -> bool {
        let Some(member) = self.members.get_mut(&member) else { return true };
        let robbed = std::mem::take(&mut member.robbed);
        if !robbed {
            member.held.values_mut().for_each(|place| place.fresh = false);
        }
        !robbed
    }

    /// Commits what the member stored.
    pub(super) fn commit(&mut self, member: u64) {
        let Some(member) = self.members.get_mut(&member) else { return };
        for (partition, place) in &mut member.held {
            if let Some(stored) = place.stored.take() {
                self.committed.insert(partition.clone(), stored);
            }
        }
    }

    /// What the group has committed.
    pub(super) fn committed(&self) -> BTreeMap<Partition, i64> {
        self.committed.clone()
    }

    /// Commits what every member stored.
    pub(super) fn commit_all(&mut self) {
        for member in self.members.keys().copied().collect::<Vec<_>>() {
            self.commit(member);
        }
    }

    /// The partitions of a member, with its places.
    pub(super) fn held(&self, member: u64) -> impl Iterator<Item = (&Partition, &Place)> {
        let held = self.members.get(&member).into_iter().flat_map(|member| &member.held);
        held.filter(|(_, place)| !place.fresh)
    }

    /// A member's place in a partition it holds.
    pub(super) fn place(&mut self, member: u64, partition: &Partition) -> Option<&mut Place> {
        self.members.get_mut(&member)?.held.get_mut(partition).filter(|place| !place.fresh)
    }

    /// How far the group has come in a partition that the member holds: stored, else committed.
    pub(super) fn position(&self, partition: &Partition, place: &Place) -> Option<i64> {
        place.stored.or_else(|| self.committed.get(partition).copied())
    }

    /// Puts the whole group at an offset, as an operator's reset does.
    pub(super) fn reset(&mut self, all: &[Partition], to: i64) {
        self.committed = all.iter().map(|partition| (partition.clone(), to)).collect();
        for place in self.places() {
            (place.next, place.stored) = (to, None);
        }
    }

    /// Puts the whole group back by `count` records of every partition.
    pub(super) fn rewind(&mut self, count: i64) {
        for offset in self.committed.values_mut() {
            *offset = (*offset - count).max(0);
        }
        for place in self.places() {
            (place.next, place.stored) = ((place.next - count).max(0), None);
        }
    }

    /// Forgets every offset, as a broker that lost its memory does.
    pub(super) fn forget(&mut self) {
        self.committed.clear();
        for place in self.places() {
            (place.next, place.stored) = (0, None);
        }
    }

    fn places(&mut self) -> impl Iterator<Item = &mut Place> {
        self.members.values_mut().flat_map(|member| member.held.values_mut())
    }

    /// Partition after partition, member after member. Who keeps a partition goes on where it was;
    /// who gets one begins where the group committed.
    fn deal(&mut self, all: &[Partition]) {
        let mut dealt: BTreeMap<u64, Vec<&Partition>> = BTreeMap::new();
        for partition in all {
            let readers: Vec<u64> = self
                .members
                .iter()
                .filter(|(_, member)| member.topics.contains(&partition.topic))
                .map(|(id, _)| *id)
                .collect();
            let turn = usize::try_from(partition.number).unwrap_or(0);
            if let Some(reader) = readers.get(turn % readers.len().max(1)) {
                dealt.entry(*reader).or_default().push(partition);
            }
        }
        for (id, member) in &mut self.members {
            let mut before = std::mem::take(&mut member.held);
            for partition in dealt.remove(id).unwrap_or_default() {
                let kept = before.remove(partition).unwrap_or(Place {
                    next: self.committed.get(partition).copied().unwrap_or(0),
                    stored: None,
                    paused: false,
                    fresh: true,
                });
                member.held.insert(partition.clone(), kept);
            }
            member.robbed |= !before.is_empty();
            for (partition, place) in before {
                if let Some(stored) = place.stored {
                    self.committed.insert(partition, stored);
                }
            }
        }
    }
}
