//! One order with its timeline.

use chrono::{DateTime, Utc};
use oms_messaging::Failure;
use oms_service::read_snapshot;
use sea_orm::{
    ColumnTrait, DatabaseConnection, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect,
};

use crate::{
    domain::{Order, RunKind},
    store::{entities::orders, load_orders, load_timeline},
};

/// A timeline entry as it is read.
pub use crate::store::entities::timeline::Model as TimelineRow;

/// Timeline entries in one answer; the newest ones.
pub const TIMELINE_MAX: u64 = 500;

/// An order with its timeline, as they were at one instant.
#[derive(Clone, Debug)]
pub struct OrderView {
    /// The order.
    pub order: Order,
    /// Its newest timeline entries, oldest first.
    pub timeline: Vec<TimelineRow>,
}

/// Reads orders. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Queries {
    pub(super) read: DatabaseConnection,
}

impl Queries {
    /// Queries over a connection for reading.
    #[must_use]
    pub fn new(read: DatabaseConnection) -> Self {
        Self { read }
    }

    /// The order of this id and its timeline; `None` when there is none.
    ///
    /// # Errors
    /// Any failure of the store.
    pub async fn get_order(&self, id: &str) -> Result<Option<OrderView>, Failure> {
        // One snapshot: an order and a timeline of two instants would contradict each other.
        let snapshot = read_snapshot(&self.read).await?;
        let found = load_orders(&snapshot, &[id.to_owned()]).await?.remove(id);
        let Some(order) = found else { return Ok(None) };
        let timeline = load_timeline(&snapshot, id, TIMELINE_MAX).await?;
        snapshot.commit().await?;
        Ok(Some(OrderView { order, timeline }))
    }

    /// The order of this id without its timeline; `None` when there is none.
    ///
    /// # Errors
    /// Any failure of the store.
    pub async fn order(&self, id: &str) -> Result<Option<Order>, Failure> {
        let snapshot = read_snapshot(&self.read).await?;
        let found = load_orders(&snapshot, &[id.to_owned()]).await?.remove(id);
        snapshot.commit().await?;
        Ok(found)
    }

    /// How many pay runs are open.
    ///
    /// # Errors
    /// Any failure of the store.
    pub async fn open_pay_runs(&self) -> Result<u64, Failure> {
        let open = orders::Column::RunKind.eq(RunKind::Pay.as_str());
        Ok(orders::Entity::find().filter(open).count(&self.read).await?)
    }

    /// When the oldest open run of each kind began.
    ///
    /// # Errors
    /// Any failure of the store.
    pub async fn oldest_runs(&self) -> Result<Vec<(String, DateTime<Utc>)>, Failure> {
        let began: Vec<(String, Option<i64>)> = orders::Entity::find()
            .select_only()
            .column(orders::Column::RunKind)
            .column_as(orders::Column::RunStartedAt.min(), "began")
            .filter(orders::Column::RunKind.ne(""))
            .group_by(orders::Column::RunKind)
            .into_tuple()
            .all(&self.read)
            .await?;
        let known = |(kind, at): (String, Option<i64>)| {
            at.and_then(DateTime::from_timestamp_micros).map(|at| (kind, at))
        };
        Ok(began.into_iter().filter_map(known).collect())
    }
}
