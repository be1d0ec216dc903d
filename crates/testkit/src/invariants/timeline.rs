//! I5: versions without gaps, and only legal roads.

use std::collections::BTreeMap;

use serde_json::Value;

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
    found.extend(beside_one_another(databases).await?);
    Ok(found)
}

/// What no order may do while something else is under way (section 3): ship beside an amendment or
/// while all the money that is left is on its way back, and two runs at a time.
async fn beside_one_another(databases: &Databases) -> anyhow::Result<Vec<String>> {
    let sql = "SELECT t.order_id AS order_id, t.event_type AS event_type, t.payload AS payload, \
               o.total_minor AS total FROM timeline t JOIN orders o ON o.id = t.order_id \
               ORDER BY t.order_id, t.version";
    let mut stories: BTreeMap<String, (i64, Vec<(String, Value)>)> = BTreeMap::new();
    for row in rows(&databases.order, sql).await? {
        let (order, total): (String, i64) =
            (row.try_get("", "order_id")?, row.try_get("", "total")?);
        let payload: String = row.try_get("", "payload")?;
        let entry = (row.try_get("", "event_type")?, serde_json::from_str(&payload)?);
        stories.entry(order).or_insert((total, Vec::new())).1.push(entry);
    }
    let told = stories.into_iter().flat_map(|(order, (total, story))| {
        let found = overlaps(total, &story).into_iter();
        found.map(move |what| format!("I5 {order} {what}"))
    });
    Ok(told.collect())
}

/// `total` is what the order costs at the end of its story.
fn overlaps(total: i64, story: &[(String, Value)]) -> Vec<&'static str> {
    let amended = |(event_type, payload): &(String, Value)| match event_type.as_str() {
        "OrderAmended" => payload["difference_minor"].as_i64().unwrap_or_default(),
        _ => 0,
    };
    let mut left = total - story.iter().map(amended).sum::<i64>();
    let (mut refunding, mut amending) = (None, false);
    let mut found = Vec::new();
    for entry in story {
        let (event_type, payload) = entry;
        let amount = payload["amount_minor"].as_i64().unwrap_or_default();
        match event_type.as_str() {
            "RefundRequested" | "AmendmentRequested" if amending || refunding.is_some() => {
                found.push("began a run beside another one");
            }
            "RefundRequested" => refunding = Some(amount),
            "AmendmentRequested" => amending = true,
            "OrderAmended" => (left, amending) = (left + amended(entry), false),
            "AmendmentRefused" => amending = false,
            "OrderRefunded" => (left, refunding) = (left - amount, None),
            "RefundFailed" => refunding = None,
            "OrderStatusChanged" if payload["status"] == "canceled" => amending = false,
            "OrderStatusChanged" if payload["status"] == "shipped" => {
                if amending {
                    found.push("was shipped while it was open what it has");
                }
                if refunding.is_some_and(|refunding| refunding >= left) {
                    found.push("was shipped while all of it was being given back");
                }
            }
            _ => {}
        }
    }
    found
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
