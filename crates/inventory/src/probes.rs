//! Whether database, broker, relay and consumer are well, for `/readyz` and gRPC health.

use std::{convert::Infallible, sync::Arc, time::Duration};

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

struct Components {
    database: Component,
    broker: Component,
    relay: Component,
    consumer: Component,
}

impl Probes {
    /// Watches until `stop`. The components exist when this returns its future.
    pub(crate) fn run(
        self,
        health: &Health,
        stop: CancellationToken,
    ) -> impl Future<Output = Result<(), Infallible>> + Send + use<> {
        let components = Components {
            database: health.component("database"),
            broker: health.component("broker"),
            relay: health.component("relay"),
            consumer: health.component("consumer"),
        };
        async move {
            let _stopped = stop.run_until_cancelled(self.watch(&components)).await;
            Ok(())
        }
    }

    async fn watch(&self, components: &Components) {
        let answers = async {
            loop {
                tell(&components.database, self.database.ping().await);
                tell(&components.broker, self.log.ping().await);
                tokio::time::sleep(PROBE_EVERY).await;
            }
        };
        let relay = each(self.relay.clone(), |healthy| {
            let why = "the last sweep failed, or there was none yet";
            tell(&components.relay, healthy.then_some(()).ok_or(why));
        });
        let consumer = each(self.consumer.clone(), |status| {
            let why = "has no partitions yet";
            tell(&components.consumer, status.assigned.then_some(()).ok_or(why));
        });
        tokio::join!(answers, relay, consumer);
    }
}

fn tell<E: std::fmt::Display>(component: &Component, answer: Result<(), E>) {
    match answer {
        Ok(()) => component.up(),
        Err(why) => component.down(why.to_string()),
    }
}

/// Calls `told` with the present value and each later one, for ever.
async fn each<T: Copy>(mut values: watch::Receiver<T>, told: impl Fn(T)) {
    loop {
        let now = *values.borrow_and_update();
        told(now);
        if values.changed().await.is_err() {
            // Whoever told has ended; its last word stands.
            std::future::pending::<()>().await;
        }
    }
}
