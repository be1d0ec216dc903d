//! What operators read: stock, reservations, the ledger. Reads one database, changes nothing.

use oms_messaging::Failure;
use oms_service::read_snapshot;
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::{
    domain::Reservation,
    store::{
        self,
        entities::{movements, stock},
    },
};

pub use crate::store::entities::{movements::Model as MovementRow, stock::Model as StockRow};

/// A page and whether more follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows, in order.
    pub rows: Vec<T>,
    /// Whether there are rows after them.
    pub more: bool,
}

impl<T> Page<T> {
    /// The first `size` of rows that were read with one row to spare.
    fn cut(mut rows: Vec<T>, size: u64) -> Self {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let more = rows.len() > size;
        rows.truncate(size);
        Self { rows, more }
    }
}

/// The stock of one SKU.
///
/// # Errors
/// Any failure of the store.
pub async fn stock(database: &DatabaseConnection, sku: &str) -> Result<Option<StockRow>, Failure> {
    Ok(stock::Entity::find_by_id(sku).one(database).await?)
}

/// The stock of all SKUs in order of their name, after `after`.
///
/// # Errors
/// Any failure of the store.
pub async fn list_stock(
    database: &DatabaseConnection,
    after: Option<&str>,
    size: u64,
) -> Result<Page<StockRow>, Failure> {
    let mut select = stock::Entity::find().order_by_asc(stock::Column::Sku).limit(size + 1);
    if let Some(after) = after {
        select = select.filter(stock::Column::Sku.gt(after));
    }
    Ok(Page::cut(select.all(database).await?, size))
}

/// The reservation of an order.
///
/// # Errors
/// Any failure of the store.
pub async fn reservation(
    database: &DatabaseConnection,
    order_id: &str,
) -> Result<Option<Reservation>, Failure> {
    // One snapshot: a reservation and holds of two instants would contradict each other.
    let snapshot = read_snapshot(database).await?;
    let found = store::read_reservation(&snapshot, order_id).await?;
    snapshot.commit().await?;
    Ok(found)
}

/// The ledger of one SKU, newest first, before entry `before`; `None` for an unknown SKU.
///
/// # Errors
/// Any failure of the store.
pub async fn list_movements(
    database: &DatabaseConnection,
    sku: &str,
    before: Option<i64>,
    size: u64,
) -> Result<Option<Page<MovementRow>>, Failure> {
    if stock(database, sku).await?.is_none() {
        return Ok(None);
    }
    let mut select = movements::Entity::find()
        .filter(movements::Column::Sku.eq(sku))
        .order_by_desc(movements::Column::Id)
        .limit(size + 1);
    if let Some(before) = before {
        select = select.filter(movements::Column::Id.lt(before));
    }
    Ok(Some(Page::cut(select.all(database).await?, size)))
}
