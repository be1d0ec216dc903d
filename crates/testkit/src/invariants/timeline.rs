//! I5: versions without gaps, and only legal roads.

use super::{
    Databases,
    query::{offenders, rows},
};

pub(super) async fn broken(databases: &Databases) -> anyhow::Result<Vec<String>> {
    let mut found = offenders(
        &databases.order,
        "I5 gap in the timeline of",
        "SELECT o.id AS id FROM orders o WHERE o.version <> (SELECT COUNT(*) FROM timeline t \
         WHERE t.order_id = o.id) OR o.version <> (SELECT MAX(t.version) FROM timeline t \
         WHERE t.order_id = o.id)",
    )
    .await?;
    let sql = "SELECT order_id, payload FROM timeline WHERE event_type = 'OrderStatusChanged' \
               ORDER BY order_id, version";
    let (mut order, mut before) = (String::new(), String::new());
    for row in rows(&databases.order, sql).await? {
        let of: String = row.try_get("", "order_id")?;
        let payload: String = row.try_get("", "payload")?;
        let payload: serde_json::Value = serde_json::from_str(&payload)?;
        let status = payload["status"].as_str().unwrap_or_default().to_owned();
        if of != order {
            (order, before) = (of, "pending".to_owned());
        }
        if !legal(&before, &status) {
            found.push(format!("I5 {order} went from {before} to {status}"));
        }
        before = status;
    }
    Ok(found)
}

fn legal(from: &str, to: &str) -> bool {
    matches!(
        (from, to),
        ("pending", "reserved" | "canceled")
            | ("reserved", "paid" | "canceled")
            | ("paid", "confirmed" | "canceled")
            | ("confirmed", "canceled" | "refunded" | "shipped")
            | ("shipped", "completed" | "refunded")
            | ("completed", "refunded")
    )
}
