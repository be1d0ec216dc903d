//! The log's side of a consumer: polls, hands records to the workers, stores offsets.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{
    mpsc::{self, error::TrySendError},
    watch,
};

use super::{
    ConsumerStatus,
    batch::Engine,
    catchup::CatchUp,
    incoming::Incoming,
    worker::{Held, Word},
};
use crate::{Log, LogError, Reactor, Subscription, log::Partition};

/// How often the distance to the end of the log is measured while there is work.
const LAG_EVERY: TimeDelta = TimeDelta::seconds(1);

/// Owns the subscription; nobody else touches the log.
pub(super) struct Reader<R: Reactor> {
    engine: Arc<Engine<R>>,
    log: Arc<dyn Log>,
    group: Arc<str>,
    subscription: Option<Box<dyn Subscription>>,
    workers: Vec<mpsc::Sender<Arc<Incoming>>>,
    held: watch::Sender<Held>,
    assignments: u64,
    /// Records whose worker had no room for them, in order; their partitions are paused.
    waiting: VecDeque<Arc<Incoming>>,
    paused: BTreeMap<Partition, Pause>,
    catch_up: CatchUp,
    status: watch::Sender<ConsumerStatus>,
    /// When the distance to the end was measured last.
    lag_at: Option<DateTime<Utc>>,
}

/// Why a partition does not deliver.
#[derive(Clone, Copy, Debug, Default)]
struct Pause {
    /// Its worker has no room.
    full: bool,
    /// Its head failed and waits.
    trouble: bool,
}

impl<R: Reactor> Reader<R> {
    pub(super) fn new(
        engine: Arc<Engine<R>>,
        log: Arc<dyn Log>,
        group: Arc<str>,
        workers: Vec<mpsc::Sender<Arc<Incoming>>>,
        held: watch::Sender<Held>,
    ) -> Self {
        Self {
            engine,
            log,
            group,
            subscription: None,
            workers,
            held,
            assignments: 0,
            waiting: VecDeque::new(),
            paused: BTreeMap::new(),
            catch_up: CatchUp::default(),
            status: watch::Sender::new(ConsumerStatus::default()),
            lag_at: None,
        }
    }

    pub(super) fn status(&self) -> watch::Receiver<ConsumerStatus> {
        self.status.subscribe()
    }

    /// Reads up to `max` records, waiting up to `wait` for a first one, and hands them over.
    /// Returns their number. Nothing is lost when it is dropped.
    pub(super) async fn poll(&mut self, max: usize, wait: Duration) -> Result<usize, LogError> {
        let subscription = match &mut self.subscription {
            Some(subscription) => subscription,
            none => {
                let topics = [self.engine.messaging.topic()];
                none.insert(self.log.subscribe(&self.group, &topics).await?)
            }
        };
        let deliveries = subscription.poll(max, wait).await?;
        self.note_assigned();
        let polled = deliveries.len();
        for delivery in deliveries {
            let Some(assignment) = self.held.borrow().get(&delivery.partition).copied() else {
                continue;
            };
            let engine = &self.engine;
            let record =
                Incoming::read(delivery, assignment, &engine.messaging, engine.reactor.as_ref());
            self.hand_over(Arc::new(record));
        }
        Ok(polled)
    }

    /// Room for records beyond those that wait for a worker; never none, so that a poll can tell of
    /// partitions that were taken away.
    pub(super) fn room(&self) -> usize {
        let most = self.engine.messaging.settings().consume_batch_max;
        most.saturating_sub(self.waiting.len()).max(1)
    }

    /// Whether a partition waits because its head failed.
    pub(super) fn has_trouble(&self) -> bool {
        self.paused.values().any(|pause| pause.trouble)
    }

    /// Does what a worker's step asks for, then hands over what waited for room.
    pub(super) async fn heed(&mut self, words: Vec<Word>) {
        for word in words {
            match word {
                Word::Done(records) => self.store(&records).await,
                // Of an assignment that ended: the partition came back running, or not at all.
                Word::Waits(head) | Word::GoesOn(head) if !self.is_ours(&head) => {}
                Word::Waits(head) => {
                    self.pause(&head.delivery.partition, |pause| pause.trouble = true);
                }
                Word::GoesOn(head) => {
                    self.resume(&head.delivery.partition, |pause| pause.trouble = false);
                }
            }
        }
        for record in std::mem::take(&mut self.waiting) {
            if self.is_ours(&record) {
                self.hand_over(record);
            }
        }
        let held_up = |at: &Partition| self.waiting.iter().any(|r| r.delivery.partition == *at);
        let full = self.paused.iter().filter(|(_, pause)| pause.full).map(|(at, _)| at.clone());
        for partition in full.filter(|at| !held_up(at)).collect::<Vec<_>>() {
            self.resume(&partition, |pause| pause.full = false);
        }
    }

    /// Measures the distance to the end of the log: when there is nothing left to do, until the end
    /// is seen, else now and then.
    pub(super) async fn measure(&mut self, idle: bool) {
        let Some(subscription) = &mut self.subscription else { return };
        let assigned = subscription.assigned();
        let before = *self.status.borrow();
        let mut now = ConsumerStatus { assigned: !assigned.is_empty(), ..before };
        let behind = !before.caught_up || before.lag != 0;
        let at = self.engine.messaging.seams().clock.now();
        // A clock that was set back makes nobody wait.
        let due = self.lag_at.is_none_or(|last| at < last || at >= last + LAG_EVERY);
        if now.assigned && ((idle && behind) || due) {
            self.lag_at = Some(at);
            match subscription.lag().await {
                Ok(Some(lags)) => {
                    now.lag = lags.iter().map(|(_, lag)| lag).sum();
                    for (partition, lag) in &lags {
                        self.catch_up.measured(partition, *lag);
                    }
                    self.engine.metrics.lag(now.lag);
                }
                Ok(None) => {}
                Err(error) => tracing::debug!(%error, "lag unknown"),
            }
        }
        now.caught_up |= self.catch_up.reached(&assigned);
        self.status.send_if_modified(|status| std::mem::replace(status, now) != now);
    }

    /// Leaves the group; what was stored is committed with it.
    pub(super) async fn leave(&mut self) {
        if let Some(subscription) = self.subscription.take()
            && let Err(error) = subscription.close().await
        {
            tracing::info!(%error, "left the group without a word; events are read again");
        }
    }

    fn hand_over(&mut self, record: Arc<Incoming>) {
        let partition = record.delivery.partition.clone();
        // Behind what waits of its partition, or it would overtake it.
        let behind = self.waiting.iter().any(|waiting| waiting.delivery.partition == partition);
        let number = usize::try_from(partition.number).unwrap_or(0);
        let worker = &self.workers[number % self.workers.len()];
        let refused = if behind { Some(record) } else { worker.try_send(record).err().map(back) };
        if let Some(record) = refused {
            self.waiting.push_back(record);
            self.pause(&partition, |pause| pause.full = true);
        }
    }

    /// Stores the offsets of records whose transaction is committed.
    async fn store(&mut self, records: &[Arc<Incoming>]) {
        for record in records {
            // Of an assignment that ended: its next owner reads again.
            if !self.is_ours(record) {
                continue;
            }
            let at = &record.delivery.partition;
            self.catch_up.done(at);
            if let Some(subscription) = &mut self.subscription {
                let _ = subscription.store(at, record.delivery.offset + 1).inspect_err(not_ours);
            }
        }
        self.engine.messaging.seams().faults.hit("consumer.after_store").await;
    }

    fn is_ours(&self, record: &Incoming) -> bool {
        self.held.borrow().get(&record.delivery.partition) == Some(&record.assignment)
    }

    /// Notes what was taken away and what came, and lets the workers know.
    fn note_assigned(&mut self) {
        let Some(subscription) = &self.subscription else { return };
        let assigned = subscription.assigned();
        let before = self.held.borrow().clone();
        let mut held = Held::new();
        for partition in assigned {
            let number = before.get(&partition).copied().unwrap_or_else(|| {
                self.assignments += 1;
                self.assignments
            });
            held.insert(partition, number);
        }
        if held == before {
            return;
        }
        // A partition that comes back does so running.
        self.paused.retain(|partition, _| held.get(partition) == before.get(partition));
        self.catch_up.retain(&held.keys().cloned().collect());
        self.held.send_replace(held);
    }

    fn pause(&mut self, partition: &Partition, why: impl FnOnce(&mut Pause)) {
        why(self.paused.entry(partition.clone()).or_default());
        if let Some(subscription) = &mut self.subscription {
            let _ = subscription.pause(partition).inspect_err(not_ours);
        }
    }

    fn resume(&mut self, partition: &Partition, why: impl FnOnce(&mut Pause)) {
        let Some(pause) = self.paused.get_mut(partition) else { return };
        why(pause);
        if pause.full || pause.trouble {
            return;
        }
        self.paused.remove(partition);
        if let Some(subscription) = &mut self.subscription {
            let _ = subscription.resume(partition).inspect_err(not_ours);
        }
    }
}

/// The record a worker had no room for, or that came after its end.
fn back(refused: TrySendError<Arc<Incoming>>) -> Arc<Incoming> {
    match refused {
        TrySendError::Full(record) | TrySendError::Closed(record) => record,
    }
}

/// A partition that was taken away in the meantime: its new owner reads again.
fn not_ours(error: &LogError) {
    tracing::debug!(%error, "partition lost");
}
