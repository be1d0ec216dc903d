//! One call that watches one order: what it has told, and what comes next.

use std::sync::Arc;

use oms_messaging::Failure;
use tokio::sync::OwnedSemaphorePermit;

use super::{
    TimelineRow,
    watchers::{Shared, Watchers},
};
use crate::{
    changes::{Latest, TooManyWaiting, Waiter},
    domain::Order,
};

/// Why an order cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// There is no such order.
    #[error("order not found")]
    NotFound,
    /// The caller claims to have seen what has not happened.
    #[error("after_version is {after}, the order's version is {version}")]
    Ahead {
        /// What the caller said.
        after: i32,
        /// The order's version.
        version: i32,
    },
    /// As many calls watch as the settings allow.
    #[error("too many calls are watching")]
    TooManyWatchers,
    /// More orders are waited for than the settings allow.
    #[error(transparent)]
    TooManyWaiting(#[from] TooManyWaiting),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Failure),
}

/// What a watcher is told next.
#[derive(Clone, Debug)]
pub struct Step {
    /// The order as of the last entry; `None` when more entries follow at once.
    pub order: Option<Arc<Order>>,
    /// Timeline entries not told yet, oldest first.
    pub entries: Vec<TimelineRow>,
}

/// A watch on one order. It reads when it is asked, so that a slow caller costs nobody anything and
/// misses nothing. Dropping it ends the watch.
#[derive(Debug)]
pub struct Followed {
    watchers: Watchers,
    shared: Arc<Shared>,
    waiter: Waiter,
    order: String,
    /// The last version told.
    version: i32,
    /// The version of the order's row that was seen last.
    row_version: i64,
    /// The first look, until it is told.
    first: Option<Arc<Latest>>,
    _place: OwnedSemaphorePermit,
}

impl Followed {
    pub(super) async fn begin(
        watchers: Watchers,
        shared: Arc<Shared>,
        waiter: Waiter,
        place: OwnedSemaphorePermit,
        order: String,
        after: i32,
    ) -> Result<Self, WatchError> {
        let mut this = Self {
            watchers,
            shared,
            waiter,
            order,
            version: after,
            row_version: 0,
            first: None,
            _place: place,
        };
        // Of now, not of the last wake-up: this caller may have come from another instance.
        let now = this.watchers.tick();
        let first = this.look(now).await?.ok_or(WatchError::NotFound)?;
        let version = first.order.version();
        if after > version {
            return Err(WatchError::Ahead { after, version });
        }
        this.first = Some(first);
        Ok(this)
    }

    /// What is to be told next, as soon as there is something: the order as it is now first, then
    /// every timeline entry once, in order. `None` once the order has ended and everything that
    /// follows from that is settled.
    ///
    /// # Errors
    /// Any failure of the store.
    pub async fn next(&mut self) -> Result<Option<Step>, Failure> {
        if let Some(first) = self.first.take() {
            return self.step(&first).await.map(Some);
        }
        loop {
            let wanted = self.waiter.latest();
            // Orders are never deleted.
            let Some(latest) = self.look(wanted).await? else { return Ok(None) };
            if latest.order.version() > self.version {
                return self.step(&latest).await.map(Some);
            }
            // What is shared may be older than a page read alone, and says nothing of the end then.
            if latest.order.version() == self.version && latest.order.is_settled() {
                return Ok(None);
            }
            self.waiter.changed().await;
        }
    }

    async fn look(&mut self, wanted: u64) -> Result<Option<Arc<Latest>>, Failure> {
        let told = self.waiter.told(wanted).filter(|told| {
            // What was told before this call came may be older than its first look, and what
            // another instance noted in between is missing: one look brings it to all.
            told.row_version >= self.row_version && told.after(self.version).is_some()
        });
        let latest = match told {
            Some(told) => Some(told),
            None => self.watchers.look(&self.shared, &self.order, wanted).await?,
        };
        self.row_version = latest.as_ref().map_or(self.row_version, |latest| latest.row_version);
        Ok(latest)
    }

    async fn step(&mut self, latest: &Latest) -> Result<Step, Failure> {
        let step = match latest.after(self.version) {
            Some(entries) => Step { order: Some(latest.order.clone()), entries: entries.to_vec() },
            None => self.watchers.catch_up(&self.order, self.version).await?,
        };
        if let Some(last) = step.entries.last() {
            self.version = last.version;
        }
        Ok(step)
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.watchers.leave(std::mem::take(&mut self.order));
    }
}
