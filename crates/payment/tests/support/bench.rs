//! One payment service on one backend.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use chrono::TimeDelta;
use oms_messaging::{
    Event, Failure, Messaging, MessagingSettings, Outcome, Reactor,
    outlet::MessagingParts,
    tables::{outbox, streams},
};
use oms_payment::{
    domain::Snapshot,
    gateway::{Charge, Gateway, GatewayMigrator, Kind, SimulatedGateway, Verdict},
    metrics::PaymentMetrics,
    migration::Migrator,
    queries::{PaymentView, Queries},
    reactions::Reactions,
    worker::{Worker, WorkerSettings},
};
use oms_seams::{FaultPlan, Faults, Seams, SystemIds};
use oms_service::{
    Database,
    testing::{Backend, TestDatabase},
};
use prometheus_client::registry::Registry;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::Value;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::ManualClock;

/// What payment said about an order: the event's short type and its data.
pub(crate) type Told = (String, Value);

/// A payment service driven by hand.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) messaging: Messaging,
    pub(crate) database: Database,
    pub(crate) gateway: SimulatedGateway,
    pub(crate) reactions: Reactions,
    pub(crate) metrics: Arc<PaymentMetrics>,
    pub(crate) settings: WorkerSettings,
    pub(crate) wake: Arc<Notify>,
    store: Arc<TestDatabase>,
    charges: Arc<TestDatabase>,
}

impl Bench {
    pub(crate) async fn new(backend: &Backend) -> Self {
        let store = Arc::new(TestDatabase::migrated::<Migrator>(backend).await);
        let charges = Arc::new(TestDatabase::migrated::<GatewayMigrator>(backend).await);
        let clock = ManualClock::new();
        let (database, gateway) = (store.database.clone(), charges.database.clone());
        Self::over(store, charges, database, gateway, clock, Faults::none())
    }

    fn over(
        store: Arc<TestDatabase>,
        charges: Arc<TestDatabase>,
        database: Database,
        gateway: Database,
        clock: Arc<ManualClock>,
        faults: Faults,
    ) -> Self {
        let seams = Seams { clock: clock.clone(), ids: Arc::new(SystemIds), faults };
        let messaging = Messaging::new(MessagingParts {
            source: "/oms/payment".to_owned(),
            topic: "events".to_owned(),
            dead_letter_topic: "dead".to_owned(),
            database: database.write.clone(),
            seams,
            settings: MessagingSettings::default(),
        });
        let metrics = Arc::new(PaymentMetrics::register(&mut Registry::default()));
        let wake = Arc::new(Notify::new());
        let slow = Duration::from_millis(20);
        Self {
            gateway: SimulatedGateway::new(gateway.write, gateway.read, clock.clone(), slow),
            reactions: Reactions::new(metrics.clone(), wake.clone()),
            settings: WorkerSettings { gateway_sweep_ms: 20, ..WorkerSettings::default() },
            messaging,
            database,
            metrics,
            wake,
            clock,
            store,
            charges,
        }
    }

    /// The same data as another process sees it, with the faults of `plan`.
    pub(crate) async fn process(&self, plan: Option<Arc<dyn FaultPlan>>) -> Self {
        let (store, charges) = (self.store.reopen().await, self.charges.reopen().await);
        let faults = plan.map_or_else(Faults::none, Faults::planned);
        let (kept, clock) = ((self.store.clone(), self.charges.clone()), self.clock.clone());
        Self::over(kept.0, kept.1, store, charges, clock, faults)
    }

    pub(crate) fn worker(&self) -> Worker {
        self.worker_with(Arc::new(self.gateway.clone()))
    }

    pub(crate) fn worker_with(&self, gateway: Arc<dyn Gateway>) -> Worker {
        Worker::new(
            self.messaging.clone(),
            self.database.read.clone(),
            gateway,
            self.metrics.clone(),
            self.settings.clone(),
            self.wake.clone(),
        )
    }

    /// Lets a worker of its own step until nothing is due; returns its calls.
    pub(crate) async fn work(&self) -> usize {
        let mut worker = self.worker();
        let mut calls = 0;
        loop {
            match worker.step().await.unwrap() {
                0 => break,
                more => calls += more,
            }
        }
        stop_at_once(worker).await;
        calls
    }

    /// Time passes until leases have run out and everything postponed is due.
    pub(crate) fn later(&self) {
        self.clock.advance(TimeDelta::minutes(2));
    }

    /// Handles events in one transaction as the consumer does, without any inbox.
    pub(crate) async fn try_hear(&self, events: &[Event]) -> Result<Vec<Outcome>, Failure> {
        let streams: BTreeSet<String> = events.iter().map(|event| event.subject.clone()).collect();
        let mut tx = self.messaging.begin().await?;
        tx.lock(streams).await?;
        let refs: Vec<&Event> = events.iter().collect();
        let mut session = self.reactions.load(&mut tx, &refs).await?;
        let outcomes = events.iter().map(|event| self.reactions.react(&mut session, event));
        let outcomes = outcomes.collect::<Result<Vec<_>, _>>()?;
        self.reactions.save(&mut tx, session).await?;
        tx.commit().await?;
        Ok(outcomes)
    }

    /// Handles events one after the other, each in a transaction of its own.
    pub(crate) async fn hear(&self, events: impl IntoIterator<Item = Event>) {
        for event in events {
            self.try_hear(&[event]).await.unwrap();
        }
    }

    /// What payment has said about an order, in sequence.
    pub(crate) async fn told(&self, order: &str) -> Vec<Told> {
        let rows = self.outbox(order).await.into_iter().map(|row| {
            let event = Event::parse(&row.payload).unwrap();
            let short = event.event_type.strip_prefix("oms.payment.").unwrap();
            let short = short.strip_suffix(".v1").unwrap().to_owned();
            (short, event.data().unwrap())
        });
        rows.collect()
    }

    /// The short types of what payment has said about an order, in sequence.
    pub(crate) async fn types(&self, order: &str) -> Vec<String> {
        self.told(order).await.into_iter().map(|(short, _)| short).collect()
    }

    pub(crate) async fn outbox(&self, order: &str) -> Vec<outbox::Model> {
        let rows = outbox::Entity::find().filter(outbox::Column::Stream.eq(order));
        rows.order_by_asc(outbox::Column::Seq).all(&self.database.read).await.unwrap()
    }

    pub(crate) async fn view(&self, order: &str) -> Option<PaymentView> {
        Queries::new(self.database.read.clone()).payment(order).await.unwrap()
    }

    pub(crate) async fn payment(&self, order: &str) -> Snapshot {
        self.view(order).await.expect("a payment").payment
    }

    /// Whether payment waits for a word about the order (rule 10).
    pub(crate) async fn is_waiting(&self, order: &str) -> bool {
        let row = streams::Entity::find_by_id(order).one(&self.database.read).await.unwrap();
        row.unwrap().ask_at.is_some()
    }

    pub(crate) async fn charges(&self, order: &str) -> Vec<Charge> {
        self.gateway.charges(order).await.unwrap()
    }

    /// What the gateway has really taken and given back, as (number, sum) each.
    pub(crate) async fn moved(&self, order: &str) -> [(usize, i64); 2] {
        let charges = self.charges(order).await;
        [Kind::Capture, Kind::Refund].map(|kind| {
            let moved = charges.iter();
            let moved = moved.filter(|one| one.kind == kind && one.verdict == Verdict::Approved);
            let amounts: Vec<i64> = moved.map(|one| one.amount_minor).collect();
            (amounts.len(), amounts.iter().sum())
        })
    }
}

/// Stops a worker in order, so that the next one need not wait for its lease to run out.
pub(crate) async fn stop_at_once(worker: Worker) {
    let stop = CancellationToken::new();
    stop.cancel();
    worker.run(stop).await.unwrap();
}
