//! Stock rows and the ledger: locked, loaded, and written by guarded updates (rule 6, I1).

use std::collections::BTreeSet;

use oms_messaging::sql::{insert, number_list, one_of, statement, text_list};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ConnectionTrait, DatabaseBackend, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, Statement,
    sea_query::OnConflict,
};

use super::entities::{movements, stock};
use crate::domain::{Counts, Movement, Shelf};

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
    let backend = conn.get_database_backend();
    let mut select = stock::Entity::find()
        .filter(one_of(backend, stock::Column::Sku, skus))
        .order_by_asc(stock::Column::Sku);
    if backend == DatabaseBackend::Postgres {
        select = select.lock_exclusive();
    }
    let rows = select.all(conn).await?;
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
    let wanted = changes.len() as u64;
    if wanted > 0 {
        let found = conn.execute_raw(net_update(conn, &changes, now)).await?.rows_affected();
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
    let rows = entries.iter().map(|entry| movements::ActiveModel {
        id: NotSet,
        sku: Set(entry.sku.clone()),
        kind: Set(entry.kind.name().to_owned()),
        order_id: Set(entry.order_id.clone()),
        qty: Set(entry.qty),
        note: Set(entry.note.clone()),
        created_at: Set(now),
    });
    insert(conn, rows.collect(), None).await?;
    Ok(())
}

/// One conditional update per SKU, all of them in one statement: each row moves only if none of
/// its counts falls below zero. The text is the same for any number of SKUs.
fn net_update(conn: &DatabaseTransaction, changes: &[(&str, Counts)], now: i64) -> Statement {
    let backend = conn.get_database_backend();
    let net = match backend {
        DatabaseBackend::Postgres => {
            "SELECT * FROM unnest(CAST($2 AS text[]), CAST($3 AS bigint[]), CAST($4 AS bigint[]), \
             CAST($5 AS bigint[]), CAST($6 AS bigint[])) \
             AS net (sku, available, held, committed, shipped)"
        }
        _ => {
            "SELECT s.value AS sku, a.value AS available, h.value AS held, \
             c.value AS committed, o.value AS shipped FROM json_each($2) s \
             JOIN json_each($3) a USING (key) JOIN json_each($4) h USING (key) \
             JOIN json_each($5) c USING (key) JOIN json_each($6) o USING (key)"
        }
    };
    let sql = format!(
        "WITH net AS ({net}) \
         UPDATE stock SET available = stock.available + net.available, \
         held = stock.held + net.held, committed = stock.committed + net.committed, \
         shipped = stock.shipped + net.shipped, updated_at = $1 \
         FROM net WHERE stock.sku = net.sku AND stock.available + net.available >= 0 \
         AND stock.held + net.held >= 0 AND stock.committed + net.committed >= 0 \
         AND stock.shipped + net.shipped >= 0"
    );
    let numbers =
        |of: fn(&Counts) -> i64| number_list(backend, changes.iter().map(|(_, net)| of(net)));
    let values = [
        now.into(),
        text_list(backend, changes.iter().map(|(sku, _)| sku)),
        numbers(|net| net.available),
        numbers(|net| net.held),
        numbers(|net| net.committed),
        numbers(|net| net.shipped),
    ];
    statement(backend, sql, values)
}
