//! A shop to test in: one database, the reactor over it, a clock that stands still.

mod audit;
mod events;
mod service;

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};
use oms_inventory::{
    domain::{Counts, Reservation},
    migration::Migrator,
    reactions::InventoryReactor,
    store::{self, Policy, entities},
};
use oms_messaging::{
    Event, Failure, Messaging, MessagingSettings, Outcome, Reactor,
    outlet::MessagingParts,
    tables::{outbox, streams},
};
use oms_seams::{Clock, Seams};
use oms_service::testing::{TestDatabase, backends};
use sea_orm::{
    ColumnTrait, DatabaseConnection, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
};
use serde_json::Value;

pub use events::*;
pub use service::{Service, eventually};

/// How long holds wait in these tests.
pub const HOLD_FOR: TimeDelta = TimeDelta::minutes(20);

/// A clock that a test moves.
#[derive(Debug)]
pub struct TestClock(AtomicI64);

impl TestClock {
    pub fn advance(&self, by: TimeDelta) {
        self.0.fetch_add(by.num_microseconds().unwrap(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// What was said: type, without prefix and version, and data.
pub type Said = (String, Value);

pub struct Shop {
    pub messaging: Messaging,
    pub clock: Arc<TestClock>,
    pub reactor: Arc<InventoryReactor>,
    pub database: TestDatabase,
}

impl Shop {
    /// A shop on every backend that can be tested on.
    pub async fn everywhere() -> Vec<Self> {
        let mut shops = Vec::new();
        for backend in backends() {
            shops.push(Self::on(TestDatabase::migrated::<Migrator>(&backend).await));
        }
        shops
    }

    fn on(database: TestDatabase) -> Self {
        let clock = Arc::new(TestClock(AtomicI64::new(1_750_000_000_000_000)));
        let messaging = Messaging::new(MessagingParts {
            source: "/oms/inventory".to_owned(),
            topic: "events".to_owned(),
            dead_letter_topic: "dlq".to_owned(),
            database: database.database.write.clone(),
            seams: Seams { clock: clock.clone(), ..Seams::system() },
            settings: MessagingSettings::default(),
        });
        let reactor = Arc::new(InventoryReactor::new(policy()));
        Self { messaging, clock, reactor, database }
    }

    /// Stocks the shelves.
    pub async fn with(self, stock: &[(&str, i64)]) -> Self {
        for (sku, qty) in stock {
            self.receive(sku, *qty).await;
        }
        self
    }

    pub async fn receive(&self, sku: &str, qty: i64) {
        let command =
            oms_inventory::commands::ReceiveStock { sku: sku.to_owned(), qty, note: String::new() };
        command.run(&self.messaging, None, |_| Vec::new()).await.unwrap();
    }

    /// One batch as one transaction, with an inbox that remembers nothing.
    pub async fn hear(&self, events: &[Event]) -> Result<Vec<Outcome>, Failure> {
        let mut tx = self.messaging.begin().await?;
        tx.lock(events.iter().map(|event| event.subject.clone())).await?;
        let refs: Vec<&Event> = events.iter().collect();
        let mut session = self.reactor.load(&mut tx, &refs).await?;
        let mut outcomes = Vec::new();
        for event in events {
            outcomes.push(self.reactor.react(&mut session, event)?);
        }
        self.reactor.save(&mut tx, session).await?;
        tx.commit().await?;
        Ok(outcomes)
    }

    /// One event as one transaction.
    pub async fn hear_one(&self, event: &Event) -> Result<Outcome, Failure> {
        Ok(self.hear(std::slice::from_ref(event)).await?[0])
    }

    /// Everything said about an order, in sequence.
    pub async fn said(&self, order: &str) -> Vec<Said> {
        let rows = outbox::Entity::find()
            .filter(outbox::Column::Stream.eq(order))
            .order_by_asc(outbox::Column::Seq)
            .all(self.conn())
            .await
            .unwrap();
        let said = rows.iter().enumerate().map(|(at, row)| {
            let event = Event::parse(&row.payload).unwrap();
            assert_eq!(event.sequence_number().unwrap(), at as i64 + 1, "sequences have no gaps");
            let name = event.event_type.strip_prefix("oms.inventory.").unwrap();
            let name = name.strip_suffix(".v1").unwrap().to_owned();
            (name, event.data::<Value>().unwrap())
        });
        said.collect()
    }

    /// The names alone of everything said about an order.
    pub async fn words(&self, order: &str) -> Vec<String> {
        self.said(order).await.into_iter().map(|(name, _)| name).collect()
    }

    pub async fn stock(&self, sku: &str) -> Counts {
        let row = entities::stock::Entity::find_by_id(sku).one(self.conn()).await;
        store::stock::counts(&row.unwrap().unwrap())
    }

    pub async fn reservation(&self, order: &str) -> Option<Reservation> {
        store::read_reservation(self.conn(), order).await.unwrap()
    }

    /// The status by name, or "unheard".
    pub async fn status(&self, order: &str) -> &'static str {
        let status = self.reservation(order).await.and_then(|one| one.status());
        status.map_or("unheard", |status| status.name())
    }

    pub async fn stream(&self, order: &str) -> streams::Model {
        let row = streams::Entity::find_by_id(order).one(self.conn()).await;
        row.unwrap().unwrap()
    }

    /// The connection for writing: the one that sees everything at once.
    pub fn conn(&self) -> &DatabaseConnection {
        &self.database.database.write
    }

    /// How many rows each table has.
    pub async fn rows(&self) -> [u64; 5] {
        let conn = self.conn();
        [
            entities::stock::Entity::find().count(conn).await.unwrap(),
            entities::reservations::Entity::find().count(conn).await.unwrap(),
            entities::holds::Entity::find().count(conn).await.unwrap(),
            entities::movements::Entity::find().count(conn).await.unwrap(),
            outbox::Entity::find().count(conn).await.unwrap(),
        ]
    }
}

pub fn policy() -> Policy {
    Policy { hold_for: HOLD_FOR }
}

pub fn available(qty: i64) -> Counts {
    Counts { available: qty, ..Counts::default() }
}
