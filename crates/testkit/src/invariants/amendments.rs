//! Amendments, and whoever waits for them: a refused one leaves everything as it was, and each ends
//! with a word to those who asked for it (section 3; I2, I7).

use std::collections::BTreeMap;

use anyhow::Context;
use serde_json::Value;

use super::{
    Databases,
    query::{offenders, rows},
};

pub(super) async fn broken_at_rest(databases: &Databases) -> anyhow::Result<Vec<String>> {
    let mut found = unanswered(databases).await?;
    found.extend(told_otherwise(databases).await?);
    found.extend(not_the_sum(databases).await?);
    Ok(found)
}

/// Keys whose answer comes with the end of a run: at rest every run has ended.
async fn unanswered(databases: &Databases) -> anyhow::Result<Vec<String>> {
    let what = "I7 a key waits for the end of a run that is over";
    let sql = "SELECT i.key AS named, i.pending_on AS run, COALESCE(o.id, '') AS id \
               FROM idempotency i LEFT JOIN orders o ON o.saga_id = i.pending_on \
                 OR i.pending_on LIKE 'amend:' || o.id || ':%' \
                 OR i.pending_on IN (SELECT r.id FROM refunds r WHERE r.order_id = o.id) \
               WHERE i.pending_on IS NOT NULL";
    offenders(&databases.order, what, sql).await
}

/// How each amendment ended, as it is kept for whoever asks, and as the timeline tells it.
async fn told_otherwise(databases: &Databases) -> anyhow::Result<Vec<String>> {
    type Ends = BTreeMap<(String, i64), String>;
    let (mut kept, mut told) = (Ends::new(), Ends::new());
    let sql = "SELECT order_id, revision, outcome FROM amendments";
    for row in rows(&databases.order, sql).await? {
        let revision: i32 = row.try_get("", "revision")?;
        let name = (row.try_get("", "order_id")?, i64::from(revision));
        kept.insert(name, row.try_get("", "outcome")?);
    }
    let sql = "SELECT order_id, event_type, payload FROM timeline WHERE event_type IN \
               ('AmendmentRequested', 'OrderAmended', 'AmendmentRefused') \
               ORDER BY order_id, version";
    for row in rows(&databases.order, sql).await? {
        let (event_type, payload): (String, String) =
            (row.try_get("", "event_type")?, row.try_get("", "payload")?);
        let payload: Value = serde_json::from_str(&payload)?;
        let revision = payload["revision"].as_i64().context("an amendment without a revision")?;
        let end = match event_type.as_str() {
            // Unless another end follows.
            "AmendmentRequested" => "canceled",
            "OrderAmended" => "accepted",
            _ => payload["code"].as_str().unwrap_or_default(),
        };
        told.insert((row.try_get("", "order_id")?, revision), end.to_owned());
    }
    let names = told.keys().chain(kept.keys().filter(|name| !told.contains_key(*name)));
    let differ = names.filter(|name| told.get(*name) != kept.get(*name));
    let line = |name: &(String, i64)| {
        let ((order, revision), kept, told) = (name, kept.get(name), told.get(name));
        format!("I7 amendment {revision} of {order} is kept as {kept:?} and told as {told:?}")
    };
    Ok(differ.map(line).collect())
}

/// An order costs what was submitted and what its accepted amendments added, and nothing that was
/// refused.
async fn not_the_sum(databases: &Databases) -> anyhow::Result<Vec<String>> {
    let sql = "SELECT x.stream AS order_id, x.payload AS payload, o.total_minor AS total \
               FROM outbox x JOIN orders o ON o.id = x.stream \
               WHERE x.event_type = 'oms.order.submitted.v1' AND x.topic NOT LIKE '%.dlq%'";
    let mut sums = BTreeMap::<String, (i64, i64)>::new();
    for row in rows(&databases.order, sql).await? {
        let payload: Vec<u8> = row.try_get("", "payload")?;
        let payload: Value = serde_json::from_slice(&payload)?;
        let submitted = payload["data"]["total"]["amount_minor"].as_i64();
        let submitted = submitted.context("a submitted order without a total")?;
        sums.insert(row.try_get("", "order_id")?, (submitted, row.try_get("", "total")?));
    }
    let sql = "SELECT order_id, payload FROM timeline WHERE event_type = 'OrderAmended'";
    for row in rows(&databases.order, sql).await? {
        let (order, payload): (String, String) =
            (row.try_get("", "order_id")?, row.try_get("", "payload")?);
        let payload: Value = serde_json::from_str(&payload)?;
        if let Some((sum, _)) = sums.get_mut(&order) {
            *sum += payload["difference_minor"].as_i64().unwrap_or_default();
        }
    }
    let differ = sums.into_iter().filter(|(_, (sum, total))| sum != total);
    let line = |(order, (sum, total)): (String, (i64, i64))| {
        format!("I2 {order} costs {total}; submitted and amended were {sum}")
    };
    Ok(differ.map(line).collect())
}
