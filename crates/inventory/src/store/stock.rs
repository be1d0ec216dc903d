//! Stock rows and the ledger: locked, loaded, and written by guarded updates (rule 6, I1).

use std::collections::BTreeSet;

use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, DatabaseBackend, DatabaseTransaction, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, Statement,
    sea_query::OnConflict,
};

use super::entities::{movements, stock};
use crate::domain::{Counts, Movement, Shelf};

/// Rows of one multi-row statement; SQLite takes 32,766 parameters.
pub(super) const ROWS_MAX: usize = 1_000;

/// Why stock could not be written.
#[derive(Debug, thiserror::Error)]
pub enum StockError {
    /// A guarded update found less than the decision needs: somebody was faster. Decide again.
    #[error("stock changed meanwhile: {found} of {wanted} rows were as expected")]
    TooLittle {
        /// Rows to change.
        wanted: u64,
        /// Rows changed.
        found: u64,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] sea_orm::DbErr),
}

impl From<StockError> for oms_messaging::Failure {
    fn from(error: StockError) -> Self {
        match error {
            StockError::TooLittle { .. } => Self::transient(error.to_string()),
            StockError::Store(error) => Self::from(error),
        }
    }
}

/// The counts of a row.
#[must_use]
pub fn counts(row: &stock::Model) -> Counts {
    Counts {
        available: row.available,
        held: row.held,
        committed: row.committed,
        shipped: row.shipped,
    }
}

/// Loads the rows of these SKUs for change, locked in SKU order where the database locks rows.
///
/// # Errors
/// Any failure of the database.
pub async fn lock(
    conn: &DatabaseTransaction,
    skus: BTreeSet<String>,
) -> Result<Shelf, sea_orm::DbErr> {
    // PostgreSQL cannot store NUL in a text, so no SKU contains one.
    let skus: Vec<String> = skus.into_iter().filter(|sku| !sku.contains('\0')).collect();
    let mut rows = Vec::with_capacity(skus.len());
    // Sorted before they are cut, so that the chunks, too, lock in SKU order.
    for chunk in skus.chunks(10 * ROWS_MAX) {
        let mut select = stock::Entity::find()
            .filter(stock::Column::Sku.is_in(chunk))
            .order_by_asc(stock::Column::Sku);
        if conn.get_database_backend() == DatabaseBackend::Postgres {
            select = select.lock_exclusive();
        }
        rows.extend(select.all(conn).await?);
    }
    Ok(Shelf::new(rows.into_iter().map(|row| {
        let counts = counts(&row);
        (row.sku, counts)
    })))
}

/// Makes sure that a SKU has a row, empty if it is new.
///
/// # Errors
/// Any failure of the database.
pub async fn ensure(conn: &DatabaseTransaction, sku: &str, now: i64) -> Result<(), sea_orm::DbErr> {
    stock::Entity::insert(stock::ActiveModel {
        sku: Set(sku.to_owned()),
        available: Set(0),
        held: Set(0),
        committed: Set(0),
        shipped: Set(0),
        updated_at: Set(now),
    })
    .on_conflict(OnConflict::column(stock::Column::Sku).do_nothing().to_owned())
    .exec_without_returning(conn)
    .await?;
    Ok(())
}

/// Writes the net change of every SKU and the ledger entries.
///
/// # Errors
/// [`StockError::TooLittle`] when a row has less than the change takes; nothing may be committed
/// then.
pub async fn save(conn: &DatabaseTransaction, shelf: &Shelf, now: i64) -> Result<(), StockError> {
    let changes: Vec<(&str, Counts)> = shelf.changes().collect();
    for chunk in changes.chunks(ROWS_MAX) {
        let wanted = chunk.len() as u64;
        let found = conn.execute_raw(net_update(conn, chunk, now)).await?.rows_affected();
        if found != wanted {
            return Err(StockError::TooLittle { wanted, found });
        }
    }
    record(conn, shelf.movements(), now).await?;
    Ok(())
}

/// Appends ledger entries.
///
/// # Errors
/// Any failure of the database.
pub async fn record(
    conn: &DatabaseTransaction,
    entries: &[Movement],
    now: i64,
) -> Result<(), sea_orm::DbErr> {
    for chunk in entries.chunks(ROWS_MAX) {
        let rows = chunk.iter().map(|entry| movements::ActiveModel {
            id: NotSet,
            sku: Set(entry.sku.clone()),
            kind: Set(entry.kind.name().to_owned()),
            order_id: Set(entry.order_id.clone()),
            qty: Set(entry.qty),
            note: Set(entry.note.clone()),
            created_at: Set(now),
        });
        movements::Entity::insert_many(rows).exec_without_returning(conn).await?;
    }
    Ok(())
}

/// One conditional update per SKU, all of them in one statement: each row moves only if none of
/// its counts falls below zero. The text is the same for any number of SKUs.
fn net_update(conn: &DatabaseTransaction, changes: &[(&str, Counts)], now: i64) -> Statement {
    let backend = conn.get_database_backend();
    let (rows, column) = match backend {
        DatabaseBackend::Postgres => ("json_array_elements($1::json) AS net (row)", "(row->>%)"),
        _ => ("json_each($1)", "(value->>%)"),
    };
    let column = |at: &str| column.replace('%', at);
    let sql = format!(
        "WITH net AS (SELECT {} AS sku, CAST({} AS BIGINT) AS available, \
         CAST({} AS BIGINT) AS held, CAST({} AS BIGINT) AS committed, \
         CAST({} AS BIGINT) AS shipped FROM {rows}) \
         UPDATE stock SET available = stock.available + net.available, \
         held = stock.held + net.held, committed = stock.committed + net.committed, \
         shipped = stock.shipped + net.shipped, updated_at = $2 \
         FROM net WHERE stock.sku = net.sku AND stock.available + net.available >= 0 \
         AND stock.held + net.held >= 0 AND stock.committed + net.committed >= 0 \
         AND stock.shipped + net.shipped >= 0",
        column("0"),
        column("1"),
        column("2"),
        column("3"),
        column("4"),
    );
    let row = |(sku, net): &(&str, Counts)| {
        serde_json::json!([sku, net.available, net.held, net.committed, net.shipped])
    };
    let rows = serde_json::Value::Array(changes.iter().map(row).collect()).to_string();
    Statement::from_sql_and_values(backend, sql, [rows.into(), now.into()])
}
