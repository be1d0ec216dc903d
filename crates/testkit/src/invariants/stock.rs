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
    for (column, status) in [("held", "HELD"), ("committed", "COMMITTED")] {
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

/// A confirmed order has exactly its lines committed; a dead one nothing.
pub(super) async fn broken_at_rest(databases: &Databases) -> anyhow::Result<Vec<String>> {
    let lines = "SELECT l.order_id AS order_id, l.sku AS sku, CAST(SUM(l.qty) AS BIGINT) AS qty \
                 FROM lines l JOIN orders o ON o.id = l.order_id \
                 WHERE o.status = 'confirmed' AND l.revision = o.settled_revision \
                 GROUP BY l.order_id, l.sku";
    let owed = units(&databases.order, lines).await?;
    let holds = "SELECT h.order_id AS order_id, h.sku AS sku, h.qty AS qty FROM holds h \
                 JOIN reservations r ON r.order_id = h.order_id \
                 WHERE r.status IN ('HELD', 'COMMITTED')";
    let held = units(&databases.inventory, holds).await?;
    let mut found = Vec::new();
    for order in owed.keys().chain(held.keys()) {
        let (owed, held) = (owed.get(order), held.get(order));
        if owed != held {
            found.push(format!("I1 {order} is owed {owed:?} and has {held:?}"));
        }
    }
    Ok(found)
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
