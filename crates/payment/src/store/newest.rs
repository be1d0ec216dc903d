//! Payments with their newest movements alone: an order may have any number of refunds, and who
//! looks at it is shown few.

use std::collections::{BTreeMap, BTreeSet};

use oms_messaging::{
    Failure,
    sql::{one_of, statement, text_list, texts},
};
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter};

use super::{
    entities::{capture, payment, refund},
    rows::{from_capture, from_payment, from_refund},
};
use crate::domain::{Snapshot, State};

/// A payment as far as it is read.
#[derive(Clone, Debug)]
pub struct Newest {
    /// With its newest movements of each kind.
    pub payment: Snapshot,
    /// Whether any movement is on its way through the gateway, also one that is not among them.
    pub busy: bool,
}

/// The payments of these orders, as far as they exist, each with its newest `max` captures and
/// refunds; captures of which little is known yet count apart.
///
/// Revisions count up, and ids of refunds rise with time; what a cancellation gives back comes
/// last.
///
/// # Errors
/// Any failure of the store.
pub async fn newest<C: ConnectionTrait>(
    conn: &C,
    orders: &[String],
    max: usize,
) -> Result<BTreeMap<String, Newest>, Failure> {
    let backend = conn.get_database_backend();
    let wanted = one_of(backend, payment::Column::OrderId, orders);
    let mut found = BTreeMap::new();
    for row in payment::Entity::find().filter(wanted).all(conn).await? {
        let payment = from_payment(row)?;
        found.insert(payment.order_id.clone(), Newest { payment, busy: false });
    }
    if found.is_empty() {
        return Ok(found);
    }
    let (list, some) = (texts(backend, 1), || [text_list(backend, orders)]);
    let of = |table: &str, group: &str, by: &str| {
        let text = format!(
            "SELECT * FROM (SELECT *, ROW_NUMBER() OVER \
             (PARTITION BY {group} ORDER BY {by} DESC) AS place \
             FROM {table} WHERE order_id IN {list}) AS newest WHERE place <= {max}"
        );
        statement(backend, text, some())
    };
    let noted = State::Noted.name();
    let captures = of("captures", &format!("order_id, state = '{noted}'"), "revision");
    for row in capture::Entity::find().from_raw_sql(captures).all(conn).await? {
        if let Some(Newest { payment, .. }) = found.get_mut(&row.order_id) {
            payment.captures.insert(row.revision, from_capture(row)?);
        }
    }
    let refunds = of("refunds", "order_id", "refund_id");
    for row in refund::Entity::find().from_raw_sql(refunds).all(conn).await? {
        if let Some(Newest { payment, .. }) = found.get_mut(&row.order_id) {
            payment.refunds.insert(row.refund_id.clone(), from_refund(row)?);
        }
    }
    for order in busy(conn, orders).await? {
        if let Some(of) = found.get_mut(&order) {
            of.busy = true;
        }
    }
    Ok(found)
}

/// Those of the orders that have a movement at the gateway.
async fn busy<C: ConnectionTrait>(
    conn: &C,
    orders: &[String],
) -> Result<BTreeSet<String>, Failure> {
    let backend = conn.get_database_backend();
    let (list, due) = (texts(backend, 1), State::Due.name());
    let of = |table| {
        format!("SELECT order_id FROM {table} WHERE state = '{due}' AND order_id IN {list}")
    };
    let text = format!("{} UNION {}", of("captures"), of("refunds"));
    let rows = conn.query_all_raw(statement(backend, text, [text_list(backend, orders)])).await?;
    rows.iter().map(|row| Ok(row.try_get_by_index(0)?)).collect()
}
