//! A member of a consumer group: polls, applies, stores offsets, retries.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tokio::{sync::watch, time};
use tokio_util::sync::CancellationToken;

use super::{
    ConsumerStatus, Step,
    batch::{Engine, Undone},
    catchup::CatchUp,
    incoming::Incoming,
    lanes::Lanes,
    one::Stuck,
};
use crate::{
    Failure, Log, LogError, Messaging, MessagingMetrics, Reactor, Subscription, backoff::delay,
    log::Partition,
};

/// Reads a service's events and applies each exactly once in effect.
pub struct Consumer<R: Reactor> {
    engine: Engine<R>,
    log: Arc<dyn Log>,
    group: String,
    subscription: Option<Box<dyn Subscription>>,
    lanes: Lanes,
    catch_up: CatchUp,
    status: watch::Sender<ConsumerStatus>,
    lag_due: time::Instant,
}

/// How often the distance to the end of the log is measured while there is work.
const LAG_EVERY: Duration = Duration::from_secs(1);

impl<R: Reactor> Consumer<R> {
    /// A consumer that has not joined its group yet.
    #[must_use]
    pub fn new(
        messaging: Messaging,
        reactor: Arc<R>,
        log: Arc<dyn Log>,
        group: String,
        metrics: MessagingMetrics,
    ) -> Self {
        Self {
            engine: Engine { messaging, reactor, metrics },
            log,
            group,
            subscription: None,
            lanes: Lanes::default(),
            catch_up: CatchUp::default(),
            status: watch::Sender::new(ConsumerStatus::default()),
            lag_due: time::Instant::now(),
        }
    }

    /// How it stands, for readiness and for whoever must not start before the log was read.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<ConsumerStatus> {
        self.status.subscribe()
    }

    /// Polls once and applies what there is: partitions that waited long enough one event at a
    /// time, all others in one transaction.
    ///
    /// # Errors
    /// [`Failure::Transient`] when the log cannot be read. Failures of events are none: they are
    /// retried or parked.
    pub async fn step(&mut self) -> Result<Step, Failure> {
        let polled = self.poll().await;
        let mut step = Step { polled: *polled.as_ref().unwrap_or(&0), ..Step::default() };
        let now = self.engine.messaging.seams().clock.now();
        for (head, unclassified) in self.lanes.probes(now) {
            self.one(&head, unclassified, &mut step).await;
        }
        let batch = self.lanes.batch(self.engine.messaging.settings().consume_batch_max);
        if !batch.is_empty() {
            self.batch(&batch, &mut step).await;
        }
        step.retrying = self.lanes.waiting();
        self.engine.count(&step);
        self.measure(step.is_idle() && step.retrying == 0).await;
        polled.map_err(unreadable).map(|_| step)
    }

    async fn poll(&mut self) -> Result<usize, LogError> {
        let settings = self.engine.messaging.settings();
        let subscription = match &mut self.subscription {
            Some(subscription) => subscription,
            none => {
                let topics = [self.engine.messaging.topic()];
                none.insert(self.log.subscribe(&self.group, &topics).await?)
            }
        };
        let ready = self.lanes.ready();
        let now = self.engine.messaging.seams().clock.now();
        let longest = Duration::from_millis(settings.poll_wait_ms);
        let wait = match self.lanes.next_probe(now) {
            _ if ready > 0 => Duration::ZERO,
            Some(probe) => probe.min(longest),
            None => longest,
        };
        let most = settings.consume_batch_max.saturating_sub(ready).max(1);
        let deliveries = subscription.poll(most, wait).await?;
        let assigned: BTreeSet<Partition> = subscription.assigned().into_iter().collect();
        self.lanes.retain(&assigned);
        self.catch_up.retain(&assigned);
        let polled = deliveries.len();
        for delivery in deliveries {
            let partition = delivery.partition.clone();
            let record =
                Incoming::read(delivery, &self.engine.messaging, self.engine.reactor.as_ref());
            if !self.lanes.accept(Arc::new(record)) {
                let _ = subscription.pause(&partition).inspect_err(not_ours);
            }
        }
        Ok(polled)
    }

    async fn batch(&mut self, batch: &[Arc<Incoming>], step: &mut Step) {
        match self.engine.apply(batch).await {
            Ok(applied) => {
                step.add(applied);
                self.done(batch).await;
            }
            Err(Undone::NotBegun(failure)) => {
                // The database is away: asking it about every single event would tell no more.
                let stuck = Stuck::Transient(failure);
                let partitions: BTreeSet<_> = batch.iter().map(|r| &r.delivery.partition).collect();
                for partition in partitions {
                    self.wait(partition, &stuck);
                }
            }
            Err(undone) => {
                tracing::debug!(?undone, events = batch.len(), "one by one");
                for record in batch {
                    if !self.lanes.waits(&record.delivery.partition) {
                        self.one(record, 0, step).await;
                    }
                }
            }
        }
    }

    async fn one(&mut self, record: &Arc<Incoming>, unclassified: u32, step: &mut Step) {
        match self.engine.apply_one(record, &self.group, unclassified).await {
            Ok(applied) => {
                step.add(applied);
                self.done(std::slice::from_ref(record)).await;
            }
            Err(stuck) => self.wait(&record.delivery.partition, &stuck),
        }
    }

    /// Stores the offsets of records whose transaction is committed.
    async fn done(&mut self, records: &[Arc<Incoming>]) {
        for record in records {
            let at = &record.delivery.partition;
            let waited = self.lanes.done(record);
            self.catch_up.done(at);
            let Some(subscription) = &mut self.subscription else { continue };
            let _ = subscription.store(at, record.delivery.offset + 1).inspect_err(not_ours);
            if waited {
                tracing::info!(topic = at.topic, partition = at.number, "goes on");
                let _ = subscription.resume(at).inspect_err(not_ours);
            }
        }
        self.engine.messaging.seams().faults.hit("consumer.after_store").await;
    }

    /// Lets a partition wait: its queue stays, the others go on.
    fn wait(&mut self, partition: &Partition, stuck: &Stuck) {
        let messaging = &self.engine.messaging;
        let settings = messaging.settings();
        let (min, max) = (settings.retry_delay_ms_min, settings.retry_delay_ms_max);
        let unclassified = matches!(stuck, Stuck::Unclassified(_));
        let now = messaging.seams().clock.now();
        let attempt =
            self.lanes.failed(partition, unclassified, now, |attempt| delay(attempt, min, max));
        let failure = stuck.failure();
        self.engine.metrics.retried(failure.code());
        if attempt > 1 {
            return;
        }
        tracing::warn!(
            %failure,
            topic = partition.topic,
            partition = partition.number,
            "an event cannot be applied now; its partition waits"
        );
        if let Some(subscription) = &mut self.subscription {
            let _ = subscription.pause(partition).inspect_err(not_ours);
        }
    }

    /// Measures the distance to the end of the log: when there is nothing left to do, until the end
    /// is seen, else now and then.
    async fn measure(&mut self, idle: bool) {
        let Some(subscription) = &mut self.subscription else { return };
        let assigned = subscription.assigned();
        let before = *self.status.borrow();
        let mut now = ConsumerStatus { assigned: !assigned.is_empty(), ..before };
        let behind = !before.caught_up || before.lag != 0;
        if now.assigned && ((idle && behind) || time::Instant::now() >= self.lag_due) {
            self.lag_due = time::Instant::now() + LAG_EVERY;
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

    /// Steps until stopped, then stores its offsets and leaves the group.
    ///
    /// # Errors
    /// None today: a log that is away is waited for.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), Failure> {
        let settings = self.engine.messaging.settings().clone();
        let mut attempt = 0_u32;
        // A step is never cut short: it is bounded, and a commit under way should be finished.
        while !stop.is_cancelled() {
            let Err(failure) = self.step().await else {
                attempt = 0;
                continue;
            };
            attempt = attempt.saturating_add(1);
            if attempt == 1 {
                tracing::warn!(%failure, "the log cannot be read; goes on trying");
            }
            let pause = delay(attempt, settings.retry_delay_ms_min, settings.retry_delay_ms_max);
            tokio::select! {
                () = stop.cancelled() => {}
                () = time::sleep(pause) => {}
            }
        }
        if let Some(subscription) = self.subscription.take()
            && let Err(error) = subscription.close().await
        {
            tracing::info!(%error, "left the group without a word; events are read again");
        }
        Ok(())
    }
}

impl<R: Reactor> std::fmt::Debug for Consumer<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Consumer").field("group", &self.group).finish_non_exhaustive()
    }
}

fn unreadable(error: LogError) -> Failure {
    Failure::Transient(error.to_string())
}

/// A partition that was taken away in the meantime: its new owner reads again.
fn not_ours(error: &LogError) {
    tracing::debug!(%error, "partition lost");
}
