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
    found.extend(shipped_beside_a_full_refund(databases).await?);
    Ok(found)
}

/// Goods that left while all the money that was left for them was on its way back (section 3).
async fn shipped_beside_a_full_refund(databases: &Databases) -> anyhow::Result<Vec<String>> {
    let sql = "SELECT t.order_id AS order_id, t.event_type AS event_type, t.payload AS payload, \
               o.total_minor AS total FROM timeline t JOIN orders o ON o.id = t.order_id \
               ORDER BY t.order_id, t.version";
    let mut found = Vec::new();
    let (mut order, mut left, mut open) = (String::new(), 0, None);
    for row in rows(&databases.order, sql).await? {
        let of: String = row.try_get("", "order_id")?;
        if of != order {
            (order, left, open) = (of, row.try_get("", "total")?, None);
        }
        let payload: String = row.try_get("", "payload")?;
        let payload: serde_json::Value = serde_json::from_str(&payload)?;
        let amount = payload["amount_minor"].as_i64().unwrap_or_default();
        let event_type: String = row.try_get("", "event_type")?;
        match event_type.as_str() {
            "RefundRequested" => open = Some(amount),
            "OrderRefunded" => (left, open) = (left - amount, None),
            "RefundFailed" => open = None,
            "OrderStatusChanged"
                if payload["status"] == "shipped" && open.is_some_and(|open| open >= left) =>
            {
                found.push(format!("I5 {order} was shipped while all of it was being given back"));
            }
            _ => {}
        }
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
