//! An order as those who wait for it see it.

use std::sync::Arc;

use crate::{
    domain::Order,
    store::{Changed, entities::timeline::Model as TimelineRow},
};

/// The newest timeline entries that are kept for whoever waits. Who lacks more reads alone.
pub(crate) const ENTRIES_MAX: usize = 50;

/// An order with its newest timeline entries, as they were at one instant.
#[derive(Clone, Debug)]
pub(crate) struct Latest {
    /// Its number in the count of wake-ups and looks: whatever was committed before it was drawn
    /// is in here.
    tick: u64,
    /// Of the order's row; it never falls.
    pub(crate) row_version: i64,
    /// The order.
    pub(crate) order: Arc<Order>,
    entries: Vec<TimelineRow>,
}

impl Latest {
    /// What a look of that number found.
    pub(crate) fn found(
        tick: u64,
        order: Order,
        row_version: i64,
        entries: Vec<TimelineRow>,
    ) -> Self {
        Self { tick, row_version, order: Arc::new(order), entries }
    }

    /// What a commit of this instance made of the order, `before` being what was known of it.
    /// Commits are told in any order: one that came before what is known adds nothing to it.
    pub(super) fn told(tick: u64, changed: Changed, before: Option<Self>) -> Self {
        let Changed { order, row_version, mut entries, .. } = changed;
        match before {
            Some(known) if known.row_version >= row_version => return Self { tick, ..known },
            Some(known) if known.row_version + 1 == row_version => {
                let added = std::mem::replace(&mut entries, known.entries);
                entries.extend(added);
                entries.drain(..entries.len().saturating_sub(ENTRIES_MAX));
            }
            // Somebody else's commit lies between: what it noted has to be read.
            Some(_) | None => {}
        }
        Self::found(tick, order, row_version, entries)
    }

    /// Whether everything committed before the wake-up of that number is in here.
    pub(crate) fn covers(&self, tick: u64) -> bool {
        self.tick >= tick
    }

    /// The entries kept, if they are those of an order of this version.
    pub(crate) fn entries_of(&self, order: &Order) -> Option<Vec<TimelineRow>> {
        (self.order.version() == order.version()).then(|| self.entries.clone())
    }

    /// The entries after `version`, if they are all here.
    pub(crate) fn after(&self, version: i32) -> Option<&[TimelineRow]> {
        let missing = usize::try_from(self.order.version().saturating_sub(version)).ok()?;
        let from = self.entries.len().checked_sub(missing)?;
        Some(&self.entries[from..])
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;
    use crate::domain::{Cause, Currency, Line, Money, NewOrder};

    /// What a commit tells that took the order to this version by these entries.
    fn changed(row_version: i64, version: i32, noted: impl IntoIterator<Item = i32>) -> Changed {
        let (at, currency) = (DateTime::UNIX_EPOCH, Currency::parse("USD").unwrap());
        let line = Line {
            id: Uuid::from_u128(2),
            sku: "A".to_owned(),
            qty: 1,
            price: Money::new(100, currency),
            name: String::new(),
            created_at: at,
        };
        let new = NewOrder {
            id: Uuid::from_u128(1),
            customer_id: "c".to_owned(),
            currency,
            lines: vec![line],
            reference: String::new(),
        };
        let mut state = Order::create(new, &Cause::call(at, None)).unwrap().state().clone();
        state.version = version;
        let entry = |version| TimelineRow {
            order_id: state.id.to_string(),
            version,
            event_type: "Noted".to_owned(),
            payload: "{}".to_owned(),
            occurred_at: 0,
            event_id: None,
            trace_id: None,
        };
        Changed {
            entries: noted.into_iter().map(entry).collect(),
            order: Order::restore(state),
            row_version,
            milestones: Vec::new(),
            ended_refunds: Vec::new(),
            ended_pay_run: None,
            ended_amendments: Vec::new(),
        }
    }

    fn after(latest: &Latest, version: i32) -> Option<Vec<i32>> {
        Some(latest.after(version)?.iter().map(|entry| entry.version).collect())
    }

    #[test]
    fn commits_that_follow_one_another_add_up_to_the_newest_entries() {
        let mut latest = Latest::told(1, changed(0, 1, [1]), None);
        latest = Latest::told(2, changed(1, 3, [2, 3]), Some(latest));
        assert_eq!(after(&latest, 0), Some(vec![1, 2, 3]));
        assert_eq!(after(&latest, 2), Some(vec![3]));
        latest = Latest::told(3, changed(2, 60, 4..=60), Some(latest));
        assert_eq!(after(&latest, 10).map(|all| all.len()), Some(ENTRIES_MAX));
        assert_eq!(after(&latest, 9), None);
    }

    #[test]
    fn a_commit_told_late_changes_nothing_and_its_wake_up_is_covered() {
        let newer = Latest::told(4, changed(2, 3, [3]), None);
        let latest = Latest::told(5, changed(1, 2, [2]), Some(newer));
        assert_eq!((latest.row_version, latest.order.version()), (2, 3));
        assert!(latest.covers(5) && !latest.covers(6));
        assert_eq!(after(&latest, 2), Some(vec![3]));
    }

    #[test]
    fn behind_a_commit_of_another_instance_earlier_entries_are_not_told() {
        let known = Latest::told(1, changed(0, 1, [1]), None);
        let latest = Latest::told(2, changed(2, 3, [3]), Some(known));
        assert_eq!(after(&latest, 2), Some(vec![3]));
        assert_eq!(after(&latest, 1), None);
    }
}
