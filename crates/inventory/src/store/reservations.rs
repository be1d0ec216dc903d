//! Reservations and their holds, loaded and written by multi-row statements.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use oms_messaging::{
    Failure,
    sql::{insert, one_of},
};
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    sea_query::OnConflict,
};
use uuid::Uuid;

use super::entities::{holds, reservations};
use crate::domain::{Lines, Reservation, Snapshot, Status};

/// Where a reservation came from; for tracing only, nothing is decided by it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) saga: Option<Uuid>,
    pub(super) traceparent: Option<String>,
}

/// A reservation as it was loaded and as it is to be.
#[derive(Clone, Debug)]
pub(super) struct Loaded {
    pub(super) before: Reservation,
    pub(super) now: Reservation,
    pub(super) origin: Origin,
    created_at: Option<i64>,
}

impl Loaded {
    fn unheard(order_id: &str) -> Self {
        let now = Reservation::unheard(order_id);
        Self { before: now.clone(), now, origin: Origin::default(), created_at: None }
    }

    fn changed(&self) -> bool {
        self.before != self.now
    }

    fn lines_changed(&self) -> bool {
        self.before.snapshot().lines != self.now.snapshot().lines
    }

    fn row(&self, now: i64) -> Option<reservations::ActiveModel> {
        let state = self.now.snapshot();
        let micros = |at: Option<DateTime<Utc>>| at.map(|at| at.timestamp_micros());
        Some(reservations::ActiveModel {
            order_id: Set(state.order_id.clone()),
            status: Set(state.status?.name().to_owned()),
            answered_revision: Set(state.answered),
            settled_revision: Set(state.settled),
            expires_at: Set(micros(state.expires_at)),
            expired_at: Set(micros(state.expired_at)),
            saga_id: Set(self.origin.saga.map(|saga| saga.to_string())),
            traceparent: Set(self.origin.traceparent.clone()),
            created_at: Set(self.created_at.unwrap_or(now)),
            updated_at: Set(now),
        })
    }
}

/// The reservations of these orders, those never heard of included. Their streams are locked.
pub(super) async fn load(
    conn: &DatabaseTransaction,
    orders: &BTreeSet<String>,
) -> Result<BTreeMap<String, Loaded>, Failure> {
    let backend = conn.get_database_backend();
    let rows = reservations::Entity::find()
        .filter(one_of(backend, reservations::Column::OrderId, orders))
        .all(conn)
        .await?;
    let mut lines = lines_of(conn, rows.iter().map(|row| row.order_id.as_str())).await?;
    let mut all: BTreeMap<String, Loaded> =
        orders.iter().map(|order| (order.clone(), Loaded::unheard(order))).collect();
    for row in rows {
        let held = lines.remove(&row.order_id).unwrap_or_default();
        let origin = Origin {
            saga: row.saga_id.as_deref().and_then(|saga| saga.parse().ok()),
            traceparent: row.traceparent.clone(),
        };
        let (order_id, created_at) = (row.order_id.clone(), Some(row.created_at));
        let now = restore(row, held)?;
        all.insert(order_id, Loaded { before: now.clone(), now, origin, created_at });
    }
    Ok(all)
}

/// One reservation, for reading only; `None` when inventory never heard of the order. It takes
/// several statements: of one instant only on a snapshot.
///
/// # Errors
/// Any failure of the database.
pub async fn read(
    conn: &impl ConnectionTrait,
    order_id: &str,
) -> Result<Option<Reservation>, Failure> {
    let Some(row) = reservations::Entity::find_by_id(order_id).one(conn).await? else {
        return Ok(None);
    };
    let lines = lines_of(conn, [order_id]).await?.remove(order_id).unwrap_or_default();
    restore(row, lines).map(Some)
}

/// Writes what changed.
pub(super) async fn save(
    conn: &DatabaseTransaction,
    all: &BTreeMap<String, Loaded>,
    now: i64,
) -> Result<(), Failure> {
    let changed: Vec<&Loaded> = all.values().filter(|one| one.changed()).collect();
    let rows: Vec<_> = changed.iter().filter_map(|one| one.row(now)).collect();
    use reservations::Column as C;
    let replace = OnConflict::column(C::OrderId)
        .update_columns([
            C::Status,
            C::AnsweredRevision,
            C::SettledRevision,
            C::ExpiresAt,
            C::ExpiredAt,
            C::UpdatedAt,
        ])
        .to_owned();
    insert(conn, rows, Some(replace)).await?;
    save_lines(conn, changed.into_iter().filter(|one| one.lines_changed())).await
}

async fn save_lines<'a>(
    conn: &DatabaseTransaction,
    changed: impl Iterator<Item = &'a Loaded>,
) -> Result<(), Failure> {
    let (mut stale, mut rows) = (Vec::new(), Vec::new());
    for one in changed {
        let state = one.now.snapshot();
        if !one.before.snapshot().lines.is_empty() {
            stale.push(state.order_id.clone());
        }
        rows.extend(state.lines.iter().map(|(sku, qty)| holds::ActiveModel {
            order_id: Set(state.order_id.clone()),
            sku: Set(sku.to_owned()),
            qty: Set(qty),
        }));
    }
    if !stale.is_empty() {
        let stale = one_of(conn.get_database_backend(), holds::Column::OrderId, stale);
        let old = holds::Entity::delete_many().filter(stale);
        old.exec(conn).await?;
    }
    insert(conn, rows, None).await?;
    Ok(())
}

async fn lines_of<'a>(
    conn: &impl ConnectionTrait,
    orders: impl IntoIterator<Item = &'a str>,
) -> Result<BTreeMap<String, Lines>, Failure> {
    let orders: Vec<&str> = orders.into_iter().collect();
    if orders.is_empty() {
        return Ok(BTreeMap::new());
    }
    let of_orders = one_of(conn.get_database_backend(), holds::Column::OrderId, orders);
    let rows = holds::Entity::find().filter(of_orders).all(conn).await?;
    let mut lines = BTreeMap::<String, Vec<(String, i64)>>::new();
    for row in rows {
        lines.entry(row.order_id).or_default().push((row.sku, row.qty));
    }
    Ok(lines.into_iter().map(|(order, lines)| (order, Lines::stored(lines))).collect())
}

fn restore(row: reservations::Model, lines: Lines) -> Result<Reservation, Failure> {
    let status = Status::named(&row.status)
        .ok_or_else(|| Failure::Unclassified(format!("reservation status {:?}", row.status)))?;
    Ok(Reservation::restore(Snapshot {
        order_id: row.order_id,
        status: Some(status),
        answered: row.answered_revision,
        settled: row.settled_revision,
        lines,
        expires_at: row.expires_at.and_then(DateTime::from_timestamp_micros),
        expired_at: row.expired_at.and_then(DateTime::from_timestamp_micros),
    }))
}
