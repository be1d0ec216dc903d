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
