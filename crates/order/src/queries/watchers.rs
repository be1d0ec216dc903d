//! Who watches orders, and what those of one order share.
//!
//! A change of this instance costs no look: its commit told what it made of the order. One of
//! another instance costs one look, however many watch the order: whoever is woken first reads, the
//! others wait for that and take what it found.
//!
//! Whatever holds a lock or a connection here, or queues for one, does so in a task of its own. A
//! stream whose caller reads no more is never polled again: it would keep what it was given.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    future::Future,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use oms_messaging::Failure;
use oms_service::{Tasks, read_snapshot};
use sea_orm::DatabaseConnection;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::{
    TIMELINE_MAX,
    follow::{Followed, Step, WatchError},
};
use crate::{
    changes::{Changes, ENTRIES_MAX, Latest},
    metrics::OrderMetrics,
    store::{load_orders, load_timeline, load_timeline_after, load_versioned},
};

/// The calls that watch orders. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Watchers(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    tasks: Tasks,
    read: DatabaseConnection,
    changes: Changes,
    metrics: Arc<OrderMetrics>,
    places: Arc<Semaphore>,
    watched: Mutex<BTreeMap<String, Watched>>,
}

#[derive(Debug)]
struct Watched {
    shared: Arc<Shared>,
    watchers: usize,
}

/// What the watchers of one order share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    latest: tokio::sync::Mutex<Option<Arc<Latest>>>,
    /// Looks that failed, so that whoever waited for one does not repeat it in vain.
    failures: AtomicU64,
}

impl Watchers {
    /// At most `watchers_max` of them, woken by `changes`.
    #[must_use]
    pub fn new(
        tasks: Tasks,
        read: DatabaseConnection,
        changes: Changes,
        metrics: Arc<OrderMetrics>,
        watchers_max: usize,
    ) -> Self {
        let places = Arc::new(Semaphore::new(watchers_max.min(Semaphore::MAX_PERMITS)));
        let watched = Mutex::default();
        Self(Arc::new(Inner { tasks, read, changes, metrics, places, watched }))
    }

    /// Begins to watch an order after `version`.
    ///
    /// # Errors
    /// [`WatchError`].
    pub async fn follow(&self, order: &str, version: i32) -> Result<Followed, WatchError> {
        let place = self.0.places.clone().try_acquire_owned();
        let place = place.map_err(|_| WatchError::TooManyWatchers)?;
        // First of all, so that no change after the first look is missed.
        let waiter = self.0.changes.watch(order)?;
        let shared = self.enter(order);
        Followed::begin(self.clone(), shared, waiter, place, order.to_owned(), version).await
    }

    fn enter(&self, order: &str) -> Arc<Shared> {
        self.0.metrics.watchers.inc();
        let mut watched = self.lock();
        let entry = watched
            .entry(order.to_owned())
            .or_insert_with(|| Watched { shared: Arc::default(), watchers: 0 });
        entry.watchers += 1;
        entry.shared.clone()
    }

    pub(super) fn leave(&self, order: String) {
        self.0.metrics.watchers.dec();
        if let Entry::Occupied(mut entry) = self.lock().entry(order) {
            entry.get_mut().watchers -= 1;
            if entry.get().watchers == 0 {
                entry.remove();
            }
        }
    }

    /// The next number of the count of wake-ups and looks.
    pub(super) fn tick(&self) -> u64 {
        self.0.changes.tick()
    }

    /// What a look found that covers `wanted`: somebody else's, or else one's own.
    pub(super) async fn look(
        &self,
        shared: &Arc<Shared>,
        order: &str,
        wanted: u64,
    ) -> Result<Option<Arc<Latest>>, Failure> {
        if let Ok(latest) = shared.latest.try_lock()
            && let Some(found) = since(latest.as_ref(), wanted)
        {
            return Ok(Some(found));
        }
        let (this, shared, order) = (self.clone(), shared.clone(), order.to_owned());
        self.apart(async move { this.look_in_turn(&shared, &order, wanted).await }).await
    }

    async fn look_in_turn(
        &self,
        shared: &Shared,
        order: &str,
        wanted: u64,
    ) -> Result<Option<Arc<Latest>>, Failure> {
        let failures = shared.failures.load(Ordering::SeqCst);
        let mut latest = shared.latest.lock().await;
        if let Some(found) = since(latest.as_ref(), wanted) {
            return Ok(Some(found));
        }
        if shared.failures.load(Ordering::SeqCst) != failures {
            return Err(Failure::transient("another watcher's look at the order failed"));
        }
        let found = self.read_latest(order, latest.as_deref()).await;
        if found.is_err() {
            shared.failures.fetch_add(1, Ordering::SeqCst);
        }
        let found = found?.map(Arc::new);
        latest.clone_from(&found);
        Ok(found)
    }

    async fn read_latest(
        &self,
        id: &str,
        known: Option<&Latest>,
    ) -> Result<Option<Latest>, Failure> {
        let tick = self.tick();
        self.0.metrics.watch_reads.inc();
        let snapshot = read_snapshot(&self.0.read).await?;
        let found = load_versioned(&snapshot, &[id.to_owned()]).await?.remove(id);
        let Some((order, row_version)) = found else { return Ok(None) };
        let entries = match known.and_then(|known| known.entries_of(&order)) {
            Some(entries) => entries,
            None => load_timeline(&snapshot, id, ENTRIES_MAX as u64).await?,
        };
        snapshot.commit().await?;
        Ok(Some(Latest::found(tick, order, row_version, entries)))
    }

    /// A page of what one watcher lacks, without the order unless the page reaches its version.
    pub(super) async fn catch_up(&self, order: &str, version: i32) -> Result<Step, Failure> {
        let (this, order) = (self.clone(), order.to_owned());
        self.apart(async move { this.read_page(&order, version).await }).await
    }

    async fn read_page(&self, id: &str, version: i32) -> Result<Step, Failure> {
        self.0.metrics.watch_reads.inc();
        let snapshot = read_snapshot(&self.0.read).await?;
        let entries = load_timeline_after(&snapshot, id, version, TIMELINE_MAX).await?;
        let order = load_orders(&snapshot, &[id.to_owned()]).await?.remove(id);
        snapshot.commit().await?;
        let reached = entries.last().map_or(version, |entry| entry.version);
        let order = order.filter(|order| order.version() == reached).map(Arc::new);
        Ok(Step { order, entries })
    }

    /// Runs `read` in a task, which goes on while its watcher is not polled and ends with it.
    async fn apart<T: Send + 'static>(
        &self,
        read: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Result<T, Failure> {
        let read = |gone: CancellationToken| async move {
            let done = gone.run_until_cancelled(read).await;
            done.unwrap_or_else(|| Err(Failure::transient("the watch has ended")))
        };
        self.0.tasks.detach_with_caller(read).await
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Watched>> {
        self.0.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// This look, if it covers the wake-up of that number.
fn since(look: Option<&Arc<Latest>>, wanted: u64) -> Option<Arc<Latest>> {
    look.filter(|found| found.covers(wanted)).cloned()
}
