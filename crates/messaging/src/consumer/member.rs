//! A member of a consumer group: one reader, and workers that apply what it reads in parallel.

use std::{sync::Arc, time::Duration};

use futures::stream::{FuturesUnordered, StreamExt};
use sea_orm::DatabaseBackend;
use tokio::{
    sync::{mpsc, watch},
    time,
};
use tokio_util::sync::CancellationToken;

use super::{
    ConsumerStatus, Step,
    batch::Engine,
    reader::Reader,
    worker::{Held, Worked, Worker},
};
use crate::{Failure, Log, LogError, Messaging, MessagingMetrics, Reactor, backoff::delay};

/// Transactions at the same time where the settings leave it open: half of the pool's connections.
const PARALLEL_ON_POSTGRES: usize = 4;

/// Reads a service's events and applies each exactly once in effect.
pub struct Consumer<R: Reactor> {
    messaging: Messaging,
    group: Arc<str>,
    reader: Reader<R>,
    workers: Vec<Worker<R>>,
}

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
        let group: Arc<str> = group.into();
        let engine = Arc::new(Engine { messaging: messaging.clone(), reactor, metrics });
        let held = watch::Sender::new(Held::new());
        let (mut senders, mut workers) = (Vec::new(), Vec::new());
        for _ in 0..parallel(&messaging) {
            let (sender, records) = mpsc::channel(messaging.settings().consume_batch_max);
            let (engine, group) = (engine.clone(), group.clone());
            workers.push(Worker::new(engine, group, records, held.subscribe()));
            senders.push(sender);
        }
        let reader = Reader::new(engine, log, group.clone(), senders, held);
        Self { messaging, group, reader, workers }
    }

    /// How it stands, for readiness and for whoever must not start before the log was read.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<ConsumerStatus> {
        self.reader.status()
    }

    /// Polls once and lets every worker do one step, one after the other: all that
    /// [`Consumer::run`] does at the same time, in an order that can be repeated.
    ///
    /// # Errors
    /// [`Failure::Transient`] when the log cannot be read. Failures of events are none: they are
    /// retried or parked.
    pub async fn step(&mut self) -> Result<Step, Failure> {
        let longest = Duration::from_millis(self.messaging.settings().poll_wait_ms);
        let ready: usize = self.workers.iter().map(Worker::ready).sum();
        let probe = self.workers.iter().filter_map(Worker::next_probe).min();
        let wait = match probe {
            _ if ready > 0 => Duration::ZERO,
            Some(probe) => probe.min(longest),
            None => longest,
        };
        let room = self.reader.room().saturating_sub(ready).max(1);
        let polled = self.reader.poll(room, wait).await;
        let mut step = Step { polled: *polled.as_ref().unwrap_or(&0), ..Step::default() };
        for worker in &mut self.workers {
            let Worked { step: worked, words } = worker.step().await;
            step.add(worked);
            self.reader.heed(words).await;
        }
        self.reader.measure(step.is_idle() && step.retrying == 0).await;
        polled.map_err(unreadable).map(|_| step)
    }

    /// Reads and applies until stopped, then stores its offsets and leaves the group. Each worker
    /// has a transaction of its own under way while the next records are read.
    ///
    /// # Errors
    /// None today: a log that is away is waited for.
    pub async fn run(self, stop: CancellationToken) -> Result<(), Failure> {
        let Self { messaging, mut reader, workers, .. } = self;
        let settings = messaging.settings();
        let longest = Duration::from_millis(settings.poll_wait_ms);
        let mut turns: FuturesUnordered<_> =
            workers.into_iter().map(|worker| worker.turn(stop.clone())).collect();
        let mut attempt = 0_u32;
        let mut trouble = Trouble::default();
        let mut not_before = time::Instant::now();
        while !stop.is_cancelled() {
            let room = reader.room();
            let poll = async {
                time::sleep_until(not_before).await;
                reader.poll(room, longest).await
            };
            let polled = tokio::select! {
                () = stop.cancelled() => break,
                Some((worker, worked)) = turns.next() => {
                    turns.push(worker.turn(stop.clone()));
                    reader.heed(worked.words).await;
                    continue;
                }
                polled = poll => polled,
            };
            match polled {
                Ok(polled) => {
                    attempt = 0;
                    if polled > 0 && trouble.ends() {
                        tracing::info!("the log is read again");
                    }
                    reader.measure(polled == 0 && !reader.has_trouble()).await;
                }
                Err(error) => {
                    attempt = attempt.saturating_add(1);
                    if trouble.begins(time::Instant::now()) {
                        let failure = unreadable(error);
                        tracing::warn!(%failure, "the log cannot be read; goes on trying");
                    }
                    let (min, max) = (settings.retry_delay_ms_min, settings.retry_delay_ms_max);
                    not_before = time::Instant::now() + delay(attempt, min, max);
                }
            }
        }
        // Commits under way are finished, and their offsets stored.
        while let Some((_, worked)) = turns.next().await {
            reader.heed(worked.words).await;
        }
        reader.leave().await;
        Ok(())
    }
}

/// How many transactions over events may be under way. SQLite has one writer, for whom one
/// transaction over all partitions is best.
fn parallel(messaging: &Messaging) -> usize {
    match (messaging.settings().consume_parallel_max, messaging.database().get_database_backend()) {
        (0, DatabaseBackend::Postgres) => PARALLEL_ON_POSTGRES,
        (0, _) => 1,
        (chosen, _) => chosen,
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

/// After how long without an error the next one is news. A client that cannot reach its broker says
/// so every second or so, and looks well in between.
const QUIET: Duration = Duration::from_secs(30);

/// Whether reading fails, as somebody who follows the log is told: once when it begins.
#[derive(Debug, Default)]
struct Trouble(Option<time::Instant>);

impl Trouble {
    /// Notes an error; whether it is news.
    fn begins(&mut self, now: time::Instant) -> bool {
        let last = self.0.replace(now);
        last.is_none_or(|last| now.duration_since(last) > QUIET)
    }

    /// Something was read; whether that is news.
    fn ends(&mut self) -> bool {
        self.0.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_told_once_however_often_the_client_says_so() {
        let (mut trouble, begun) = (Trouble::default(), time::Instant::now());
        assert!(!trouble.ends());
        let at = |seconds| begun + Duration::from_secs(seconds);
        let told = (0..100).filter(|second| trouble.begins(at(*second))).count();
        assert_eq!(told, 1);
        assert!(trouble.ends() && !trouble.ends());
        assert!(trouble.begins(at(101)), "another outage");
        assert!(trouble.begins(at(200)), "nothing was read, and nothing failed for long");
    }
}
