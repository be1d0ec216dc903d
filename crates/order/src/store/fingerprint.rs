//! Keyless CreateOrder: the same parameters soon after mean the same order, while it is PENDING
//! with no run started. Concurrent duplicates yield one order (I7).

use chrono::{DateTime, Utc};
use oms_messaging::Failure;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, OnConflict},
};

use super::entities::{
    fingerprints::{ActiveModel, Column, Entity},
    orders,
};
use crate::domain::{RunKind, Status};

/// Whose the parameters are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// The caller's: create the order.
    New,
    /// An order that exists and was not paid for, cancelled or changed yet.
    Existing(String),
}

/// Claims the parameters `hash` for the new order `order` until `expires`. On PostgreSQL a
/// concurrent claim of the same hash waits until the first has committed.
///
/// # Errors
/// Any failure of the store.
pub async fn claim_fingerprint<C: ConnectionTrait>(
    conn: &C,
    hash: &str,
    order: &str,
    expires: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Claimed, Failure> {
    let row = ActiveModel {
        hash: Set(hash.to_owned()),
        order_id: Set(order.to_owned()),
        expires_at: Set(expires.timestamp_micros()),
    };
    // An update that changes nothing locks the row and gives it back, whoever wrote it.
    let keep = OnConflict::column(Column::Hash).update_column(Column::Hash).to_owned();
    let held = Entity::insert(row).on_conflict(keep).exec_with_returning(conn).await?;
    if held.order_id == order {
        return Ok(Claimed::New);
    }
    if held.expires_at > now.timestamp_micros() && is_untouched(conn, &held.order_id).await? {
        return Ok(Claimed::Existing(held.order_id));
    }
    Entity::update_many()
        .col_expr(Column::OrderId, Expr::value(order))
        .col_expr(Column::ExpiresAt, Expr::value(expires.timestamp_micros()))
        .filter(Column::Hash.eq(hash))
        .exec(conn)
        .await?;
    Ok(Claimed::New)
}

async fn is_untouched<C: ConnectionTrait>(conn: &C, order: &str) -> Result<bool, Failure> {
    let row: Option<String> = orders::Entity::find_by_id(order)
        .select_only()
        .column(orders::Column::Id)
        .filter(orders::Column::Status.eq(Status::Pending.as_str()))
        .filter(orders::Column::RunKind.eq(RunKind::Idle.as_str()))
        // Changed since, it is no longer what these parameters ask for.
        .filter(orders::Column::Version.eq(1))
        .into_tuple()
        .one(conn)
        .await?;
    Ok(row.is_some())
}

/// Deletes up to `max` fingerprints that have expired. Returns how many.
///
/// # Errors
/// Any failure of the store.
pub async fn forget_fingerprints<C: ConnectionTrait>(
    conn: &C,
    now: DateTime<Utc>,
    max: u64,
) -> Result<u64, Failure> {
    let expired: Vec<String> = Entity::find()
        .select_only()
        .column(Column::Hash)
        .filter(Column::ExpiresAt.lte(now.timestamp_micros()))
        .limit(max)
        .into_tuple()
        .all(conn)
        .await?;
    if expired.is_empty() {
        return Ok(0);
    }
    let gone = Entity::delete_many()
        .filter(Column::Hash.is_in(expired))
        .filter(Column::ExpiresAt.lte(now.timestamp_micros()))
        .exec(conn)
        .await?;
    Ok(gone.rows_affected)
}
