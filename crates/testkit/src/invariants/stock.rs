//! I1: units are neither made nor lost, and a live order has what it paid for.

use std::collections::BTreeMap;

use super::{
    Databases,
    query::{offenders, rows},
};

pub(super) async fn broken_in_motion(databases: &Databases) -> anyhow::Result<Vec<String>> {
    let inventory = &databases.inventory;
    let mut found = offenders(
        inventory,
        "I1 counts do not add up for",
        "SELECT s.sku AS sku FROM stock s \
         WHERE s.available + s.held + s.committed + s.shipped <> \
               COALESCE((SELECT SUM(m.qty) FROM movements m \
                         WHERE m.sku = s.sku AND m.kind IN ('received', 'adjusted')), 0)",
    )
    .await?;
    found.extend(
        offenders(
            inventory,
            "I1 negative",
            "SELECT sku FROM stock \
             WHERE available < 0 OR held < 0 OR committed < 0 OR shipped < 0",
        )
        .await?,
    );
    for (column, status) in [("held", "HELD"), ("committed", "COMMITTED"), ("shipped", "SHIPPED")] {
        let sql = format!(
            "SELECT s.sku AS sku FROM stock s \
             WHERE s.{column} <> COALESCE((SELECT SUM(h.qty) FROM holds h \
               JOIN reservations r ON r.order_id = h.order_id \
               WHERE h.sku = s.sku AND r.status = '{status}'), 0)"
        );
        let what = format!("I1 {column} is not the sum of the holds of");
        found.extend(offenders(inventory, &what, &sql).await?);
    }
    Ok(found)
}

/// Order id -> SKU -> units.
type Units = BTreeMap<String, BTreeMap<String, i64>>;

/// A confirmed order has exactly its lines committed, one that was shipped has them booked out
/// once, whatever became of it since, and a dead one has nothing.
pub(super) async fn broken_at_rest(databases: &Databases) -> anyhow::Result<Vec<String>> {
    let confirmed = lines_of("o.status = 'confirmed'");
    let owed = units(&databases.order, &confirmed).await?;
    let reserved = units(&databases.inventory, &holds_of("'HELD', 'COMMITTED'")).await?;
    let mut found = differing("is owed", &owed, "has", &reserved);
    // What happened, not what a flag says of it.
    let left = lines_of(
        "EXISTS (SELECT 1 FROM timeline t WHERE t.order_id = o.id \
                 AND t.event_type = 'OrderStatusChanged' \
                 AND t.payload = '{\"status\":\"shipped\"}')",
    );
    let left = units(&databases.order, &left).await?;
    let booked = units(&databases.inventory, &holds_of("'SHIPPED'")).await?;
    found.extend(differing("shipped", &left, "has booked out", &booked));
    let moved = "SELECT order_id, sku, CAST(SUM(qty) AS BIGINT) AS qty FROM movements \
                 WHERE kind = 'shipped' GROUP BY order_id, sku";
    let moved = units(&databases.inventory, moved).await?;
    found.extend(differing("shipped", &left, "has in the ledger", &moved));
    Ok(found)
}

/// The lines in force of the orders that are `so`.
fn lines_of(so: &str) -> String {
    format!(
        "SELECT l.order_id AS order_id, l.sku AS sku, CAST(SUM(l.qty) AS BIGINT) AS qty \
         FROM lines l JOIN orders o ON o.id = l.order_id \
         WHERE {so} AND l.revision = o.settled_revision GROUP BY l.order_id, l.sku"
    )
}

/// What inventory keeps for reservations in these statuses.
fn holds_of(statuses: &str) -> String {
    format!(
        "SELECT h.order_id AS order_id, h.sku AS sku, h.qty AS qty FROM holds h \
         JOIN reservations r ON r.order_id = h.order_id WHERE r.status IN ({statuses})"
    )
}

/// A line for each order of which the two tell different units.
fn differing(one: &str, ours: &Units, other: &str, theirs: &Units) -> Vec<String> {
    let mut found = Vec::new();
    for order in ours.keys().chain(theirs.keys().filter(|order| !ours.contains_key(*order))) {
        let (ours, theirs) = (ours.get(order), theirs.get(order));
        if ours != theirs {
            found.push(format!("I1 {order} {one} {ours:?} and {other} {theirs:?}"));
        }
    }
    found
}

async fn units(database: &sea_orm::DatabaseConnection, sql: &str) -> anyhow::Result<Units> {
    let mut units = Units::new();
    for row in rows(database, sql).await? {
        let (order, sku, qty): (String, String, i64) =
            (row.try_get("", "order_id")?, row.try_get("", "sku")?, row.try_get("", "qty")?);
        units.entry(order).or_default().insert(sku, qty);
    }
    Ok(units)
}
