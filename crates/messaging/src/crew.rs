//! The crew: everything of messaging that runs for one service, and whether it is well.

use std::{convert::Infallible, future::pending, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use sea_orm::DatabaseConnection;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    Asker, Consumer, ConsumerStatus, DeadLetters, Failure, Log, LogError, Messaging,
    MessagingMetrics, Reactor, Relay, Retention,
};

/// What [`Crew::watch`] tells about, by name.
pub const WATCHED: [&str; 3] = ["broker", "relay", "consumer"];

/// How often the broker is asked for an answer.
const PING_EVERY: Duration = Duration::from_secs(1);
/// How long its answer may take: longer than the log itself is meant to wait.
const PING_MAX: Duration = Duration::from_secs(10);

/// A part of the crew at work, until it is stopped.
pub type Part = BoxFuture<'static, Result<(), Failure>>;

/// Consumer, relay, asker and retention of one service: built together, run together.
#[derive(Debug)]
pub struct Crew<R: Reactor> {
    messaging: Messaging,
    reactor: Arc<R>,
    group: String,
    log: Arc<dyn Log>,
    metrics: MessagingMetrics,
    consumer: Consumer<R>,
    relay: Relay,
    asker: Asker,
    retention: Retention,
}

/// The parts of a crew, each with a `step` of its own.
#[derive(Debug)]
pub struct Hands<R: Reactor> {
    /// Applies what was said.
    pub consumer: Consumer<R>,
    /// Publishes what is to be said.
    pub relay: Relay,
    /// Asks about silence.
    pub asker: Asker,
    /// Forgets what has ended.
    pub retention: Retention,
}

impl<R: Reactor> Crew<R> {
    /// A crew that has not begun: it says on `log` what the service says, and hears as a member of
    /// `group` what concerns it.
    #[must_use]
    pub fn new(
        messaging: Messaging,
        reactor: Arc<R>,
        log: Arc<dyn Log>,
        group: String,
        metrics: MessagingMetrics,
    ) -> Self {
        let (heard, member) = (reactor.clone(), group.clone());
        let consumer =
            Consumer::new(messaging.clone(), heard, log.clone(), member, metrics.clone());
        let asker = Asker::new(messaging.clone(), metrics.clone()).following(consumer.status());
        Self {
            consumer,
            asker,
            relay: Relay::new(messaging.clone(), log.clone(), metrics.clone()),
            retention: Retention::new(messaging.clone()),
            messaging,
            reactor,
            group,
            log,
            metrics,
        }
    }

    /// The same crew, which has not begun, with another reactor around its own: for whoever lets
    /// events fail on purpose.
    #[must_use]
    pub fn wrapped<S: Reactor>(self, wrap: impl FnOnce(Arc<R>) -> Arc<S>) -> Crew<S> {
        Crew::new(self.messaging, wrap(self.reactor), self.log, self.group, self.metrics)
    }

    /// The service's dead letters.
    #[must_use]
    pub fn dead_letters(&self) -> DeadLetters {
        let (reactor, group) = (self.reactor.clone(), self.group.clone());
        DeadLetters::new(self.messaging.clone(), reactor, group, self.metrics.clone())
    }

    /// How the consumer stands, for whoever must not start before the log was read once.
    #[must_use]
    pub fn consumer_status(&self) -> watch::Receiver<ConsumerStatus> {
        self.consumer.status()
    }

    /// What refreshes the gauges that the database knows, read through `database`.
    pub fn gauges(
        &self,
        database: DatabaseConnection,
    ) -> impl Fn() -> BoxFuture<'static, Result<(), Failure>> + Send + Sync + use<R> {
        let (metrics, clock) = (self.metrics.clone(), self.messaging.seams().clock.clone());
        move || {
            let (metrics, database, now) = (metrics.clone(), database.clone(), clock.now());
            Box::pin(async move { metrics.refresh(&database, now).await })
        }
    }

    /// Tells `report` how each of [`WATCHED`] is, at once and whenever it changes, until `stop`.
    ///
    /// # Errors
    /// Never; the type is that of a task.
    pub fn watch<F>(
        &self,
        report: F,
        stop: CancellationToken,
    ) -> impl Future<Output = Result<(), Infallible>> + Send + use<R, F>
    where
        F: Fn(&'static str, Result<(), String>) + Send + Sync + 'static,
    {
        let (log, relay, consumer) =
            (self.log.clone(), self.relay.status(), self.consumer.status());
        async move {
            let broker = async {
                loop {
                    report("broker", answer(log.ping(), PING_MAX).await);
                    tokio::time::sleep(PING_EVERY).await;
                }
            };
            let relay = follow(relay, |healthy| {
                let why = "the last sweep failed, or there was none yet";
                report("relay", healthy.then_some(()).ok_or_else(|| why.to_owned()));
            });
            let consumer = follow(consumer, |status| {
                let why = "has no partitions yet";
                report("consumer", status.assigned.then_some(()).ok_or_else(|| why.to_owned()));
            });
            let watching = async { tokio::join!(broker, relay, consumer) };
            let _stopped = stop.run_until_cancelled(watching).await;
            Ok(())
        }
    }

    /// The parts themselves, for whoever takes them step by step.
    #[must_use]
    pub fn into_hands(self) -> Hands<R> {
        let Self { consumer, relay, asker, retention, .. } = self;
        Hands { consumer, relay, asker, retention }
    }

    /// The parts by name, each to be run as a task of its own until `stop`.
    #[must_use]
    pub fn into_parts(self, stop: CancellationToken) -> Vec<(&'static str, Part)> {
        let Self { consumer, relay, asker, retention, .. } = self;
        vec![
            ("relay", Box::pin(relay.run(stop.clone()))),
            ("consumer", Box::pin(consumer.run(stop.clone()))),
            // Asks about everything that waits as soon as the log can be heard: what was said
            // while the service was away may be lost.
            ("asker", Box::pin(asker.run(stop.clone()))),
            ("retention", Box::pin(retention.run(stop))),
        ]
    }
}

/// What the broker says, if it says it in time.
async fn answer(
    asked: impl Future<Output = Result<(), LogError>>,
    within: Duration,
) -> Result<(), String> {
    match tokio::time::timeout(within, asked).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer in {} s", within.as_secs_f32())),
    }
}

/// Calls `told` with the present value and each later one; whoever tells may end, and its last word
/// stands.
async fn follow<T: Copy>(mut values: watch::Receiver<T>, told: impl Fn(T)) {
    loop {
        let now = *values.borrow_and_update();
        told(now);
        if values.changed().await.is_err() {
            pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_broker_that_never_answers_is_not_well() {
        let silence = pending::<Result<(), LogError>>();
        let told = answer(silence, Duration::from_millis(1)).await;
        assert_eq!(told.unwrap_err(), "no answer in 0.001 s");
        let refused = async { Err(LogError("gone".to_owned())) };
        assert_eq!(answer(refused, PING_MAX).await.unwrap_err(), "log: gone");
        assert!(answer(async { Ok(()) }, PING_MAX).await.is_ok());
    }
}
