//! Reading orders: one query per table, however many orders.

use std::collections::{BTreeMap, BTreeSet};

use oms_messaging::{Event, Failure, sql::one_of};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::{
    entities::{amendments, lines, orders, refunds, timeline},
    rows,
};
use crate::domain::{AmendmentEnd, Order};

/// An order and its row version, by order id.
pub(crate) type Loaded = BTreeMap<String, (Order, i64)>;

/// The orders of `ids` that exist, by id. Inside a transaction that holds their streams this is
/// what is; on any other connection it is what was committed.
///
/// # Errors
/// Any failure of the store.
pub async fn load_orders<C: ConnectionTrait>(
    conn: &C,
    ids: &[String],
) -> Result<BTreeMap<String, Order>, Failure> {
    Ok(load_versioned(conn, ids).await?.into_iter().map(|(id, (order, _))| (id, order)).collect())
}

/// The same, each with its row version.
///
/// # Errors
/// Any failure of the store.
pub(crate) async fn load_versioned<C: ConnectionTrait>(
    conn: &C,
    ids: &[String],
) -> Result<Loaded, Failure> {
    if ids.is_empty() {
        return Ok(Loaded::new());
    }
    let backend = conn.get_database_backend();
    let wanted = one_of(backend, orders::Column::Id, ids);
    let found = orders::Entity::find().filter(wanted).all(conn).await?;
    if found.is_empty() {
        return Ok(Loaded::new());
    }
    let mut line_rows: BTreeMap<String, Vec<lines::Model>> = BTreeMap::new();
    let select = lines::Entity::find()
        .filter(one_of(backend, lines::Column::OrderId, ids))
        .order_by_asc(lines::Column::OrderId)
        .order_by_asc(lines::Column::Revision)
        .order_by_asc(lines::Column::Position);
    for line in select.all(conn).await? {
        line_rows.entry(line.order_id.clone()).or_default().push(line);
    }
    let mut refund_rows: BTreeMap<String, Vec<refunds::Model>> = BTreeMap::new();
    let select = refunds::Entity::find()
        .filter(one_of(backend, refunds::Column::OrderId, ids))
        .order_by_asc(refunds::Column::AskedAt)
        .order_by_asc(refunds::Column::Id);
    for refund in select.all(conn).await? {
        refund_rows.entry(refund.order_id.clone()).or_default().push(refund);
    }
    let mut loaded = Loaded::new();
    for row in found {
        let kept = line_rows.remove(&row.id).unwrap_or_default();
        let given_back = refund_rows.remove(&row.id).unwrap_or_default();
        let order = rows::order_of(&row, kept, given_back)?;
        loaded.insert(row.id, (order, row.row_version));
    }
    Ok(loaded)
}

/// How the amendment of that revision ended; `None` while it is open.
///
/// # Errors
/// Any failure of the store.
pub async fn amendment_end<C: ConnectionTrait>(
    conn: &C,
    order: &str,
    revision: i32,
) -> Result<Option<AmendmentEnd>, Failure> {
    let id = (order.to_owned(), revision);
    let Some(row) = amendments::Entity::find_by_id(id).one(conn).await? else { return Ok(None) };
    let unreadable = || Failure::Unclassified(format!("amendment outcome {:?}", row.outcome));
    AmendmentEnd::parse(&row.outcome).map(Some).ok_or_else(unreadable)
}

/// The newest `max` entries of an order's timeline, oldest first.
///
/// # Errors
/// Any failure of the store.
pub async fn load_timeline<C: ConnectionTrait>(
    conn: &C,
    order: &str,
    max: u64,
) -> Result<Vec<timeline::Model>, Failure> {
    let mut entries = timeline::Entity::find()
        .filter(timeline::Column::OrderId.eq(order))
        .order_by_desc(timeline::Column::Version)
        .limit(max)
        .all(conn)
        .await?;
    entries.reverse();
    Ok(entries)
}

/// The first `max` entries of an order's timeline after `version`, oldest first.
///
/// # Errors
/// Any failure of the store.
pub async fn load_timeline_after<C: ConnectionTrait>(
    conn: &C,
    order: &str,
    version: i32,
    max: u64,
) -> Result<Vec<timeline::Model>, Failure> {
    let entries = timeline::Entity::find()
        .filter(timeline::Column::OrderId.eq(order))
        .filter(timeline::Column::Version.gt(version))
        .order_by_asc(timeline::Column::Version)
        .limit(max);
    Ok(entries.all(conn).await?)
}

/// Which of these events caused an entry of their orders' timelines.
pub(super) async fn noted<C: ConnectionTrait>(
    conn: &C,
    events: &[&Event],
) -> Result<BTreeSet<Uuid>, Failure> {
    if events.is_empty() {
        return Ok(BTreeSet::new());
    }
    let backend = conn.get_database_backend();
    let orders = events.iter().map(|event| &event.subject);
    let ids = events.iter().map(|event| event.id.to_string());
    let found: Vec<Option<String>> = timeline::Entity::find()
        .select_only()
        .column(timeline::Column::EventId)
        .filter(one_of(backend, timeline::Column::OrderId, orders))
        .filter(one_of(backend, timeline::Column::EventId, ids))
        .into_tuple()
        .all(conn)
        .await?;
    Ok(found.into_iter().flatten().filter_map(|id| Uuid::try_parse(&id).ok()).collect())
}
