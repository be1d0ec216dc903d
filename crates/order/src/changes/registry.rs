//! The orders somebody waits for.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use oms_messaging::sql::one_of;
use sea_orm::{DatabaseConnection, DbErr, EntityTrait, QueryFilter, QuerySelect};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;

use super::Latest;
use crate::store::{Changed, entities::orders};

/// Orders in one statement.
const LOOK_MAX: usize = 500;

/// Orders somebody waits for. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Changes(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    orders: Mutex<BTreeMap<String, Waited>>,
    orders_max: usize,
    first: Notify,
    /// The count of wake-ups and looks.
    ticks: AtomicU64,
}

#[derive(Debug)]
struct Waited {
    /// The number of the latest wake-up.
    fire: watch::Sender<u64>,
    turn: Arc<Semaphore>,
    waiters: usize,
    /// The newest row version that every waiter was woken for.
    seen: Option<i64>,
    /// What the commits of this instance made of it.
    told: Option<Arc<Latest>>,
}

/// More orders are waited for than the settings allow: overload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many calls are waiting")]
pub struct TooManyWaiting;

impl Changes {
    /// A registry that holds at most `orders_max` orders.
    #[must_use]
    pub fn new(orders_max: usize) -> Self {
        let orders = Mutex::default();
        let ticks = AtomicU64::new(0);
        Self(Arc::new(Shared { orders, orders_max, first: Notify::new(), ticks }))
    }

    /// Begins to wait for an order. Do this first, then look: a change after this call is not
    /// missed.
    ///
    /// # Errors
    /// [`TooManyWaiting`] at the bound.
    pub fn watch(&self, order: &str) -> Result<Waiter, TooManyWaiting> {
        let mut orders = self.lock();
        if orders.len() >= self.0.orders_max && !orders.contains_key(order) {
            return Err(TooManyWaiting);
        }
        if orders.is_empty() {
            self.0.first.notify_one();
        }
        let waited = orders.entry(order.to_owned()).or_insert_with(|| Waited {
            fire: watch::Sender::new(self.tick()),
            turn: Arc::new(Semaphore::new(1)),
            waiters: 0,
            seen: None,
            told: None,
        });
        waited.waiters += 1;
        let (fired, turn) = (waited.fire.subscribe(), waited.turn.clone());
        Ok(Waiter { changes: self.clone(), order: order.to_owned(), fired, turn })
    }

    /// Tells whoever waits for the order what a commit of this instance made of it.
    pub fn tell(&self, changed: Changed) {
        let mut orders = self.lock();
        let Some(waited) = orders.get_mut(&changed.order.id().to_string()) else { return };
        let tick = self.tick();
        waited.seen = waited.seen.max(Some(changed.row_version));
        let before = waited.told.take().map(Arc::unwrap_or_clone);
        waited.told = Some(Arc::new(Latest::told(tick, changed, before)));
        waited.fire.send_replace(tick);
    }

    /// The next number of the count, never given twice: whatever was committed before a lower
    /// number was drawn is seen by a look that begins now.
    #[must_use]
    pub fn tick(&self) -> u64 {
        self.0.ticks.fetch_add(1, Ordering::SeqCst)
    }

    /// How many orders somebody waits for.
    #[must_use]
    pub fn waited_for(&self) -> usize {
        self.lock().len()
    }

    /// How many calls wait for an order, watchers among them.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.lock().values().map(|waited| waited.waiters).sum()
    }

    /// One look at the versions of the orders somebody waits for; wakes the waiters of those that
    /// changed since the last look, and of those seen for the first time. Returns how many orders
    /// fired.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn step(&self, read: &DatabaseConnection) -> Result<usize, DbErr> {
        let ids: Vec<String> = self.lock().keys().cloned().collect();
        let mut fired = 0;
        for ids in ids.chunks(LOOK_MAX) {
            let found = row_versions(read, ids).await?;
            let mut orders = self.lock();
            for (order, version) in found {
                if let Some(waited) = orders.get_mut(&order)
                    // Told meanwhile, a look from before it is no news.
                    && waited.seen < Some(version)
                {
                    waited.seen = Some(version);
                    self.wake(waited);
                    fired += 1;
                }
            }
        }
        Ok(fired)
    }

    /// Looks every `every` while somebody waits, until `stop`.
    ///
    /// # Errors
    /// None today; a database that is away is waited for.
    pub async fn run(
        self,
        read: DatabaseConnection,
        every: Duration,
        stop: CancellationToken,
    ) -> Result<(), DbErr> {
        let look = async {
            let mut failing = false;
            loop {
                while self.lock().is_empty() {
                    self.0.first.notified().await;
                }
                tokio::time::sleep(every).await;
                let looked = self.step(&read).await;
                if let Err(error) = &looked
                    && !failing
                {
                    tracing::warn!(%error, "cannot look for changes of the orders waited for");
                }
                failing = looked.is_err();
            }
        };
        let _stopped: Option<std::convert::Infallible> = stop.run_until_cancelled(look).await;
        Ok(())
    }

    /// The caller holds the lock, so that an order's numbers rise.
    fn wake(&self, waited: &Waited) {
        waited.fire.send_replace(self.tick());
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Waited>> {
        self.0.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The row versions of those orders of `ids` that exist.
async fn row_versions(
    read: &DatabaseConnection,
    ids: &[String],
) -> Result<Vec<(String, i64)>, DbErr> {
    orders::Entity::find()
        .select_only()
        .columns([orders::Column::Id, orders::Column::RowVersion])
        .filter(one_of(read.get_database_backend(), orders::Column::Id, ids))
        .into_tuple()
        .all(read)
        .await
}

/// One call that waits for one order. Dropping it ends the wait.
#[derive(Debug)]
pub struct Waiter {
    changes: Changes,
    order: String,
    fired: watch::Receiver<u64>,
    turn: Arc<Semaphore>,
}

impl Waiter {
    /// Resolves when it is this call's turn, first come, first served, until the permit is
    /// dropped. Of many calls that wait to begin a run on one order only one tries at a time.
    pub async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        // Never closed, so never `None`.
        self.turn.clone().acquire_owned().await.ok()
    }

    /// The number of the order's latest wake-up, which counts as seen from here on.
    pub fn latest(&mut self) -> u64 {
        *self.fired.borrow_and_update()
    }

    /// What this instance's commits made of the order, if that covers the wake-up of that number.
    pub(crate) fn told(&self, wanted: u64) -> Option<Arc<Latest>> {
        let orders = self.changes.lock();
        let told = orders.get(&self.order)?.told.clone()?;
        told.covers(wanted).then_some(told)
    }

    /// Resolves when the order may have changed since the last time, or since [`Changes::watch`].
    pub async fn changed(&mut self) {
        if self.fired.changed().await.is_err() {
            // The sender lives as long as a waiter is counted, so this is unreachable; a wait
            // that never ends would be worse than one that ends by its own deadline.
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut orders = self.changes.lock();
        if let Entry::Occupied(mut waited) = orders.entry(std::mem::take(&mut self.order)) {
            waited.get_mut().waiters -= 1;
            if waited.get().waiters == 0 {
                waited.remove();
            }
        }
    }
}
