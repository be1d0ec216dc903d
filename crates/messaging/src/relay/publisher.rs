//! Publish, wait for the delivery reports, only then mark.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{self, Instant},
};
use tokio_util::sync::CancellationToken;

use super::due::{self, Outgoing};
use crate::{
    Failure, Log, Messaging, MessagingMetrics, PublishError,
    backoff::{delay, micros_after},
    lease::Lease,
};

/// Publishes what the outbox holds. One is active per service at a time, by lease; a second one
/// would only publish duplicates.
#[derive(Debug)]
pub struct Relay {
    messaging: Messaging,
    log: Arc<dyn Log>,
    metrics: MessagingMetrics,
    lease: Lease,
    healthy: watch::Sender<bool>,
    /// Whether the last step left rows that are due.
    more: bool,
}

/// What became of one publication of due rows.
#[derive(Default)]
struct Published {
    delivered: Vec<Outgoing>,
    refused: Vec<(Outgoing, String)>,
    /// The first row of each stream that the broker did not take now.
    unavailable: Vec<Outgoing>,
    /// Why, for one of them.
    reason: Option<String>,
}

impl Relay {
    /// A relay from a service's outbox to the log.
    #[must_use]
    pub fn new(messaging: Messaging, log: Arc<dyn Log>, metrics: MessagingMetrics) -> Self {
        let lease = Lease::new(messaging.clone(), "relay");
        Self { messaging, log, metrics, lease, healthy: watch::Sender::new(false), more: false }
    }

    /// Whether its last step could do what it had to; false until the first one.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<bool> {
        self.healthy.subscribe()
    }

    /// Publishes the rows that are due, up to `relay_batch_max`, and returns how many were
    /// delivered; none when another relay is active.
    ///
    /// # Errors
    /// [`Failure::Transient`] when nothing was delivered because the broker is away, or any
    /// failure of the store. Rows not marked are published again.
    pub async fn step(&mut self) -> Result<usize, Failure> {
        let stepped = self.publish_due().await;
        self.healthy.send_if_modified(|healthy| {
            std::mem::replace(healthy, stepped.is_ok()) != stepped.is_ok()
        });
        stepped
    }

    async fn publish_due(&mut self) -> Result<usize, Failure> {
        self.more = false;
        let active = self.lease.hold().await?;
        self.metrics.relay_active(active);
        if !active {
            return Ok(0);
        }
        let rows = due::select(&self.messaging).await?;
        if rows.is_empty() {
            return Ok(0);
        }
        let full = rows.len() as u64 >= self.messaging.settings().relay_batch_max;
        let now = self.messaging.seams().clock.now().timestamp_micros();
        let rows = rows.into_iter().map(|row| Outgoing::new(&self.messaging, row, now));
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        let faults = &self.messaging.seams().faults;
        faults.hit("relay.before_publish").await;
        let published = self.publish(rows).await;
        faults.hit("relay.after_publish").await;
        self.note(&published).await?;
        faults.hit("relay.after_mark").await;
        self.more = full;
        match published.reason {
            Some(reason) if published.delivered.is_empty() => Err(Failure::Transient(reason)),
            _ => Ok(published.delivered.len()),
        }
    }

    /// Publishes the rows and sorts them by their delivery reports. Of a stream, only what comes
    /// before its first failure counts as delivered.
    async fn publish(&self, mut rows: Vec<Outgoing>) -> Published {
        let mut published = Published::default();
        let mut failed = BTreeSet::new();
        let records = rows.iter_mut().filter_map(Outgoing::take_record).collect();
        let mut reports = self.log.publish(records).await.into_iter();
        for row in rows {
            let missing = || Err(PublishError::Unavailable("no delivery report".to_owned()));
            let report = reports.next().unwrap_or_else(missing);
            let order = row.order();
            if order.as_ref().is_some_and(|order| failed.contains(order)) {
                continue;
            }
            match report {
                Ok(()) => {
                    published.delivered.push(row);
                    continue;
                }
                Err(PublishError::Refused(reason)) => {
                    row.not_taken(&reason);
                    published.refused.push((row, reason));
                }
                Err(PublishError::Unavailable(reason)) => {
                    row.not_taken(&reason);
                    published.unavailable.push(row);
                    published.reason = Some(reason);
                }
            }
            failed.extend(order);
        }
        published
    }

    async fn note(&self, published: &Published) -> Result<(), Failure> {
        let now = self.messaging.seams().clock.now();
        let database = self.messaging.database();
        due::mark(database, &published.delivered, now.timestamp_micros()).await?;
        self.metrics.published("ok", published.delivered.len() as u64);
        let first = published.delivered.iter().filter(|row| row.generation == 0);
        self.metrics.waited(first.map(|row| now.timestamp_micros() - row.created_at));
        let until = micros_after(now, self.messaging.settings().refused_delay_ms);
        for (row, reason) in &published.refused {
            due::refuse(database, row, until, reason).await?;
            self.metrics.published("refused", 1);
            if !row.refused_before {
                tracing::error!(
                    seq = row.seq,
                    order_id = row.stream,
                    topic = row.topic,
                    age_ms = (now.timestamp_micros() - row.created_at) / 1_000,
                    reason,
                    "the broker refuses a record; its stream waits"
                );
            }
        }
        let unavailable = &published.unavailable;
        self.metrics.published("unavailable", unavailable.len() as u64);
        // When others got through, or only dead letters did not, the broker is not away as a whole:
        // these rows step aside, or they would fill every batch to come.
        let dead_letters = |row: &Outgoing| row.topic != self.messaging.topic();
        let some_got_through = !published.delivered.is_empty();
        if !unavailable.is_empty() && (some_got_through || unavailable.iter().all(dead_letters)) {
            let until = micros_after(now, self.messaging.settings().retry_delay_ms_max);
            due::postpone(database, unavailable, until).await?;
        }
        Ok(())
    }

    /// Publishes when woken after a commit, and in a sweep for what nobody woke it for; backs off
    /// while broker or store are away; publishes what is left, in a bounded time, once stopped.
    ///
    /// # Errors
    /// None today: what is away is waited for.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), Failure> {
        let settings = self.messaging.settings().clone();
        let pause = Duration::from_millis(settings.relay_pause_ms);
        let sweep = Duration::from_millis(settings.relay_sweep_ms);
        let mut attempt = 0_u32;
        while !stop.is_cancelled() {
            let began = Instant::now();
            let (not_before, longest) = match self.step().await {
                Ok(published) => {
                    if attempt > 0 {
                        tracing::info!(attempt, "the relay publishes again");
                    }
                    attempt = 0;
                    // Nobody will say again that there is more.
                    if self.more {
                        continue;
                    }
                    let took = began.elapsed();
                    // The longer a publication takes, the more is to travel with the next.
                    let rest = if published > 0 { pause.max(2 * took) } else { Duration::ZERO };
                    (began + rest, sweep)
                }
                Err(failure) => {
                    attempt = attempt.saturating_add(1);
                    if attempt == 1 {
                        tracing::warn!(%failure, "the relay cannot publish; goes on trying");
                    }
                    let (min, max) = (settings.retry_delay_ms_min, settings.retry_delay_ms_max);
                    // Commits may hasten the next try, but not to a busy loop.
                    (Instant::now() + Duration::from_millis(min), delay(attempt, min, max))
                }
            };
            let messaging = self.messaging.clone();
            // A commit that the step did not see has left its word, whenever it came.
            let woken = async {
                time::sleep_until(not_before).await;
                messaging.relay_woken().await;
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = time::sleep(longest) => {}
                () = woken => {}
            }
        }
        self.flush(Duration::from_millis(settings.relay_flush_ms_max)).await;
        Ok(())
    }

    async fn flush(&mut self, within: Duration) {
        let all = async {
            while let Ok(published) = self.step().await {
                if published == 0 {
                    break;
                }
            }
        };
        if time::timeout(within, all).await.is_err() {
            tracing::info!("rows left in the outbox; they are published at the next start");
        }
        if time::timeout(within, self.lease.release()).await.is_err() {
            tracing::debug!("the relay's lease is left to run out");
        }
    }
}
