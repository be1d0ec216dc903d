//! When a consumer has caught up: once it has done what was on the log when it first looked.
//!
//! What was written since does not count: under steady traffic there is always something new, and
//! whoever waits for an empty log waits for ever.

use std::collections::{BTreeMap, BTreeSet};

use crate::log::Partition;

/// How many records of each partition are still to be done, counted from the first measurement.
#[derive(Debug, Default)]
pub(super) struct CatchUp {
    left: BTreeMap<Partition, i64>,
}

impl CatchUp {
    /// So many records lie between the position in a partition and its end now. Only the first
    /// measurement counts, unless a later one tells of less: records that are gone are never done.
    pub(super) fn measured(&mut self, partition: &Partition, lag: i64) {
        let left = self.left.entry(partition.clone()).or_insert(lag);
        *left = lag.min(*left);
    }

    /// A record of this partition is done with.
    pub(super) fn done(&mut self, partition: &Partition) {
        if let Some(left) = self.left.get_mut(partition) {
            *left = left.saturating_sub(1).max(0);
        }
    }

    /// Forgets partitions that are somebody else's now.
    pub(super) fn retain(&mut self, assigned: &BTreeSet<Partition>) {
        self.left.retain(|partition, _| assigned.contains(partition));
    }

    /// Whether all of these partitions have been caught up with.
    pub(super) fn reached(&self, assigned: &[Partition]) -> bool {
        let reached = |partition| self.left.get(partition).is_some_and(|left| *left <= 0);
        !assigned.is_empty() && assigned.iter().all(reached)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_partition_is_caught_up_with_by_itself() {
        let [one, two] = [0, 1].map(|number| Partition { topic: "events".to_owned(), number });
        let both = [one.clone(), two.clone()];
        let mut catch_up = CatchUp::default();
        assert!(!catch_up.reached(&[]), "nothing assigned");
        catch_up.done(&one);
        catch_up.measured(&one, 2);
        assert!(!catch_up.reached(&both), "the other was never measured");
        catch_up.measured(&two, 0);
        catch_up.done(&one);
        catch_up.measured(&one, 7);
        assert!(!catch_up.reached(&both));
        catch_up.done(&one);
        catch_up.measured(&two, 7);
        assert!(catch_up.reached(&both), "what came later does not count");
        catch_up.retain(&BTreeSet::from([two.clone()]));
        assert!(catch_up.reached(&[two]));
        catch_up.measured(&one, 3);
        assert!(!catch_up.reached(&both), "it came back, and is measured anew");
        catch_up.measured(&one, 0);
        assert!(catch_up.reached(&both), "at the end, however it came there");
    }
}
