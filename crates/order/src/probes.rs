//! Whether database, broker, relay and consumer are well, for `/readyz` and gRPC health.

use std::{convert::Infallible, fmt::Display, sync::Arc, time::Duration};

use oms_messaging::{ConsumerStatus, Log};
use oms_service::{Component, Database, Health};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often database and broker are asked for an answer.
const PROBE_EVERY: Duration = Duration::from_secs(1);

/// The parts that are watched.
#[derive(Debug)]
pub(crate) struct Probes {
    pub(crate) database: Database,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) relay: watch::Receiver<bool>,
    pub(crate) consumer: watch::Receiver<ConsumerStatus>,
}

impl Probes {
    /// Watches until `stop`. The components are registered before this returns its future.
    pub(crate) fn run(
        self,
        health: &Health,
        stop: CancellationToken,
    ) -> impl Future<Output = Result<(), Infallible>> + Send + use<> {
        let [database, broker, relay, consumer] =
            ["database", "broker", "relay", "consumer"].map(|name| health.component(name));
        let Self { database: store, log, relay: relayed, consumer: consumed } = self;
        let answers = async move {
            loop {
                tell(&database, store.ping().await);
                tell(&broker, log.ping().await);
                tokio::time::sleep(PROBE_EVERY).await;
            }
        };
        let relayed = follow(relayed, move |healthy| {
            let why = "the last sweep failed, or there was none yet";
            tell(&relay, healthy.then_some(()).ok_or(why));
        });
        let consumed = follow(consumed, move |status| {
            tell(&consumer, status.assigned.then_some(()).ok_or("has no partitions yet"));
        });
        async move {
            let watching = async { tokio::join!(answers, relayed, consumed) };
            let _stopped = stop.run_until_cancelled(watching).await;
            Ok(())
        }
    }
}

fn tell<E: Display>(component: &Component, answer: Result<(), E>) {
    match answer {
        Ok(()) => component.up(),
        Err(why) => component.down(why.to_string()),
    }
}

/// Calls `told` with the present value and each later one; whoever tells may end, and its last word
/// stands.
async fn follow<T: Copy>(mut values: watch::Receiver<T>, told: impl Fn(T)) {
    loop {
        let now = *values.borrow_and_update();
        told(now);
        if values.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
