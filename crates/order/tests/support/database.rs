//! A database with the order service's schema, and transactions over it.

use std::sync::Arc;

use oms_messaging::{
    Failure, Messaging, MessagingSettings, Tx, outlet::MessagingParts, tables::outbox,
};
use oms_order::{
    domain::Order,
    migration::Migrator,
    store::{Changed, Session, entities::timeline, load_orders, load_timeline},
};
use oms_seams::Seams;
use oms_service::testing::{TestDatabase, backends};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

/// The topics' names in these tests.
pub(crate) const TOPIC: &str = "oms.saga.events";
pub(crate) const DEAD: &str = "oms.saga.events.dlq";

/// A fresh database.
pub(crate) struct Db {
    test: TestDatabase,
    pub(crate) messaging: Messaging,
}

/// One on every backend that tests run on.
pub(crate) async fn databases() -> Vec<Db> {
    let mut all = Vec::new();
    for backend in backends() {
        let test = TestDatabase::migrated::<Migrator>(&backend).await;
        let settings = MessagingSettings { poll_wait_ms: 1, ..MessagingSettings::default() };
        let messaging = Messaging::new(MessagingParts {
            source: "/oms/order".to_owned(),
            topic: TOPIC.to_owned(),
            dead_letter_topic: DEAD.to_owned(),
            database: test.database.write.clone(),
            seams: Seams::system(),
            settings,
        });
        all.push(Db { test, messaging });
    }
    all
}

impl Db {
    pub(crate) fn conn(&self) -> &sea_orm::DatabaseConnection {
        &self.test.database.write
    }

    /// A transaction that holds the stream.
    pub(crate) async fn begin(&self, id: &str) -> Tx {
        let mut tx = self.messaging.begin().await.unwrap();
        tx.lock([id.to_owned()]).await.unwrap();
        tx
    }

    /// Stores new orders in one transaction.
    pub(crate) async fn insert(&self, orders: impl IntoIterator<Item = Order>) {
        let orders: Vec<Order> = orders.into_iter().collect();
        let ids: Vec<String> = orders.iter().map(|order| order.id().to_string()).collect();
        let mut tx = self.messaging.begin().await.unwrap();
        tx.lock(ids.clone()).await.unwrap();
        let mut session = Session::load(&tx, &ids).await.unwrap();
        orders.into_iter().for_each(|order| session.insert(order));
        session.save(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Changes one order as a command does.
    pub(crate) async fn change<T>(
        &self,
        id: &str,
        change: impl FnOnce(&mut Order) -> T,
    ) -> Result<(T, Vec<Changed>), Failure> {
        let mut tx = self.messaging.begin().await?;
        tx.lock([id.to_owned()]).await?;
        let mut session = Session::load(&tx, &[id.to_owned()]).await?;
        let done = change(session.order_mut(id).unwrap());
        let changed = session.save(&mut tx).await?;
        tx.commit().await?;
        Ok((done, changed))
    }

    pub(crate) async fn order(&self, id: &str) -> Order {
        let mut found = load_orders(self.conn(), &[id.to_owned()]).await.unwrap();
        found.remove(id).unwrap()
    }

    pub(crate) async fn timeline(&self, id: &str) -> Vec<timeline::Model> {
        load_timeline(self.conn(), id, 500).await.unwrap()
    }

    /// Types of the events said about an order, in order.
    pub(crate) async fn said(&self, id: &str) -> Vec<String> {
        self.outbox(id).await.into_iter().map(|row| row.event_type).collect()
    }

    pub(crate) async fn outbox(&self, id: &str) -> Vec<outbox::Model> {
        outbox::Entity::find()
            .filter(outbox::Column::Stream.eq(id))
            .filter(outbox::Column::Topic.eq(TOPIC))
            .order_by_asc(outbox::Column::Seq)
            .all(self.conn())
            .await
            .unwrap()
    }

    pub(crate) async fn count<E: EntityTrait>(&self) -> usize {
        E::find().all(self.conn()).await.unwrap().len()
    }

    pub(crate) fn shared(self) -> Arc<Self> {
        Arc::new(self)
    }
}
