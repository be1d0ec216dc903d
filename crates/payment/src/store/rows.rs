//! Rows to domain and back.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use oms_messaging::{Failure, sql::one_of};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::entities::{capture, payment, refund};
use crate::domain::{Capture, Noted, Origin, Progress, Refund, Snapshot, State, Totals};

/// Microseconds since 1970.
#[must_use]
pub fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}

/// The instant of so many microseconds since 1970.
#[must_use]
pub fn instant(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}

fn origin_text(origin: &Origin) -> Result<String, Failure> {
    serde_json::to_string(origin).map_err(|error| Failure::Unclassified(error.to_string()))
}

fn origin(text: &str) -> Result<Origin, Failure> {
    serde_json::from_str(text).map_err(|error| unreadable("origin", error))
}

fn state(name: &str) -> Result<State, Failure> {
    State::parse(name).ok_or_else(|| unreadable("state", name))
}

fn unreadable(what: &str, why: impl std::fmt::Display) -> Failure {
    Failure::Unclassified(format!("the database holds an unreadable {what}: {why}"))
}

/// The payments of these orders, as far as they exist.
///
/// # Errors
/// Any failure of the store.
pub async fn snapshots<C: ConnectionTrait>(
    conn: &C,
    orders: &[String],
) -> Result<BTreeMap<String, Snapshot>, Failure> {
    let mut found = BTreeMap::new();
    let backend = conn.get_database_backend();
    let wanted = one_of(backend, payment::Column::OrderId, orders);
    let rows = payment::Entity::find().filter(wanted).all(conn).await?;
    if rows.is_empty() {
        return Ok(found);
    }
    for row in rows {
        found.insert(row.order_id.clone(), from_payment(row)?);
    }
    let wanted = one_of(backend, capture::Column::OrderId, orders);
    for row in capture::Entity::find().filter(wanted).all(conn).await? {
        if let Some(payment) = found.get_mut(&row.order_id) {
            payment.captures.insert(row.revision, from_capture(row)?);
        }
    }
    let wanted = one_of(backend, refund::Column::OrderId, orders);
    for row in refund::Entity::find().filter(wanted).all(conn).await? {
        if let Some(payment) = found.get_mut(&row.order_id) {
            payment.refunds.insert(row.refund_id.clone(), from_refund(row)?);
        }
    }
    Ok(found)
}

pub(super) fn from_payment(row: payment::Model) -> Result<Snapshot, Failure> {
    Ok(Snapshot {
        order_id: row.order_id,
        currency: row.currency,
        customer_id: row.customer_id,
        method: row.method,
        total: row.total,
        totals: Totals { captured: row.captured, refunded: row.refunded },
        closing: row.closing,
        closed: row.closed,
        cancel_refund_made: row.cancel_refund_made,
        concluded_revision: row.concluded_revision,
        verdict_revision: row.verdict_revision,
        closing_origin: origin(&row.closing_origin)?,
        captures: BTreeMap::new(),
        refunds: BTreeMap::new(),
        created_at: instant(row.created_at),
        updated_at: instant(row.updated_at),
    })
}

pub(super) fn to_payment(of: &Snapshot) -> Result<payment::ActiveModel, Failure> {
    Ok(payment::Model {
        order_id: of.order_id.clone(),
        currency: of.currency.clone(),
        customer_id: of.customer_id.clone(),
        method: of.method.clone(),
        total: of.total,
        captured: of.totals.captured,
        refunded: of.totals.refunded,
        closing: of.closing,
        closed: of.closed,
        cancel_refund_made: of.cancel_refund_made,
        concluded_revision: of.concluded_revision,
        verdict_revision: of.verdict_revision,
        closing_origin: origin_text(&of.closing_origin)?,
        created_at: micros(of.created_at),
        updated_at: micros(of.updated_at),
    }
    .into_active_model()
    .reset_all())
}

pub(super) fn from_capture(row: capture::Model) -> Result<Capture, Failure> {
    let noted = Noted { total: row.total, base: row.base, method: row.method };
    Ok(Capture {
        revision: row.revision,
        noted: row.noted.then_some(noted),
        reserved: row.reserved,
        amount: row.amount,
        progress: Progress {
            state: state(&row.state)?,
            code: row.code,
            attempts: row.attempts,
            next_at: row.next_at.map(instant),
            updated_at: instant(row.updated_at),
            origin: origin(&row.origin)?,
        },
    })
}

pub(super) fn to_capture(order: &str, of: &Capture) -> Result<capture::ActiveModel, Failure> {
    let noted = of.noted.as_ref();
    Ok(capture::Model {
        order_id: order.to_owned(),
        revision: of.revision,
        noted: noted.is_some(),
        total: noted.map_or(0, |noted| noted.total),
        base: noted.map_or(0, |noted| noted.base),
        method: noted.map(|noted| noted.method.clone()).unwrap_or_default(),
        reserved: of.reserved,
        state: of.progress.state.name().to_owned(),
        amount: of.amount,
        code: of.progress.code.clone(),
        attempts: of.progress.attempts,
        next_at: of.progress.next_at.map(micros),
        origin: origin_text(&of.progress.origin)?,
        updated_at: micros(of.progress.updated_at),
    }
    .into_active_model()
    .reset_all())
}

pub(super) fn from_refund(row: refund::Model) -> Result<Refund, Failure> {
    Ok(Refund {
        refund_id: row.refund_id,
        amount: row.amount,
        progress: Progress {
            state: state(&row.state)?,
            code: row.code,
            attempts: row.attempts,
            next_at: row.next_at.map(instant),
            updated_at: instant(row.updated_at),
            origin: origin(&row.origin)?,
        },
    })
}

pub(super) fn to_refund(order: &str, of: &Refund) -> Result<refund::ActiveModel, Failure> {
    Ok(refund::Model {
        refund_id: of.refund_id.clone(),
        order_id: order.to_owned(),
        amount: of.amount,
        state: of.progress.state.name().to_owned(),
        code: of.progress.code.clone(),
        attempts: of.progress.attempts,
        next_at: of.progress.next_at.map(micros),
        origin: origin_text(&of.progress.origin)?,
        updated_at: micros(of.progress.updated_at),
    }
    .into_active_model()
    .reset_all())
}
