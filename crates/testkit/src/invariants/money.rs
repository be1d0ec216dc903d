//! I2 and I4: the three ledgers agree, nobody pays twice, and a dead order keeps nothing.

use std::collections::BTreeMap;

use super::{
    Databases,
    query::{offenders, rows},
};

/// What holds at every moment: in the gateway's own log, and of a payment that is closed.
pub(super) async fn broken_in_motion(databases: &Databases) -> anyhow::Result<Vec<String>> {
    let mut found = twice(databases).await?;
    found.extend(
        offenders(
            &databases.gateway,
            "I2 the gateway gave back more than it took of",
            "SELECT order_id FROM charges WHERE approved GROUP BY order_id \
             HAVING SUM(CASE WHEN kind = 'capture' THEN amount ELSE -amount END) < 0",
        )
        .await?,
    );
    found.extend(
        offenders(
            &databases.gateway,
            "I2 the gateway was asked to give back more than it took",
            "SELECT idempotency_key FROM charges WHERE code = 'exceeds_captured'",
        )
        .await?,
    );
    // Not at rest alone: who closes too early may be lucky, and what is still under way succeeds.
    found.extend(
        offenders(
            &databases.payment,
            "I2 closed with money left that was never asked back",
            "SELECT p.order_id FROM payments p WHERE p.closed AND p.captured <> p.refunded \
             AND NOT EXISTS (SELECT 1 FROM refunds r WHERE r.order_id = p.order_id \
                             AND r.refund_id LIKE 'cancel:%' AND r.state = 'failed')",
        )
        .await?,
    );
    Ok(found)
}

/// Money that was taken although payment asked for no such capture of that revision: a second one
/// under another key, or another amount.
async fn twice(databases: &Databases) -> anyhow::Result<Vec<String>> {
    // Read first: payment makes a capture due before the gateway hears of it.
    let taken = "SELECT idempotency_key, amount FROM charges WHERE kind = 'capture' AND approved";
    let taken = rows(&databases.gateway, taken).await?;
    let asked = "SELECT order_id, revision, amount FROM captures";
    let mut due = BTreeMap::new();
    for row in rows(&databases.payment, asked).await? {
        let (order, revision): (String, i32) =
            (row.try_get("", "order_id")?, row.try_get("", "revision")?);
        let amount: i64 = row.try_get("", "amount")?;
        due.insert(format!("capture:{order}:{revision}"), amount);
    }
    let mut found = Vec::new();
    for row in taken {
        let (key, amount): (String, i64) =
            (row.try_get("", "idempotency_key")?, row.try_get("", "amount")?);
        if due.remove(&key) != Some(amount) {
            found.push(format!(
                "I4 the gateway took {amount} by {key}, which nobody asked for once"
            ));
        }
    }
    Ok(found)
}

/// The three ledgers agree once nothing is under way.
pub(super) async fn broken_at_rest(databases: &Databases) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    let orders = "SELECT id AS order_id, captured_minor AS captured, refunded_minor AS refunded \
                  FROM orders";
    let ours = ledger(&databases.order, orders).await?;
    let payments = "SELECT order_id, captured, refunded FROM payments";
    let theirs = ledger(&databases.payment, payments).await?;
    let charges = "SELECT order_id, \
        CAST(COALESCE(SUM(CASE WHEN kind = 'capture' THEN amount END), 0) AS BIGINT) AS captured, \
        CAST(COALESCE(SUM(CASE WHEN kind = 'refund' THEN amount END), 0) AS BIGINT) AS refunded \
        FROM charges WHERE approved GROUP BY order_id";
    let gateways = ledger(&databases.gateway, charges).await?;
    for order in ours.keys().chain(theirs.keys()).chain(gateways.keys()) {
        let of = |ledger: &Ledger| ledger.get(order).copied().unwrap_or_default();
        let (ours, theirs, gateways) = (of(&ours), of(&theirs), of(&gateways));
        if ours != theirs || theirs != gateways {
            found.push(format!(
                "I2 {order} captured and refunded: order says {ours:?}, payment {theirs:?}, the \
                 gateway {gateways:?}"
            ));
        }
    }
    found.extend(settled(databases).await?);
    Ok(found)
}

type Ledger = BTreeMap<String, (i64, i64)>;

async fn ledger(database: &sea_orm::DatabaseConnection, sql: &str) -> anyhow::Result<Ledger> {
    let mut ledger = Ledger::new();
    for row in rows(database, sql).await? {
        let order: String = row.try_get("", "order_id")?;
        ledger.insert(order, (row.try_get("", "captured")?, row.try_get("", "refunded")?));
    }
    Ok(ledger)
}

/// What an order keeps is its total less what its customers got back; nothing before and after.
async fn settled(databases: &Databases) -> anyhow::Result<Vec<String>> {
    let mut found = offenders(
        &databases.order,
        "I2 a confirmed order does not keep total - refunds",
        "SELECT o.id AS id FROM orders o WHERE o.status IN ('confirmed', 'shipped', 'completed') \
         AND o.captured_minor - o.refunded_minor <> o.total_minor - \
             COALESCE((SELECT SUM(r.amount_minor) FROM refunds r \
                       WHERE r.order_id = o.id AND r.state = 'succeeded'), 0)",
    )
    .await?;
    found.extend(
        offenders(
            &databases.order,
            "I2 money without a live order",
            "SELECT id, status FROM orders WHERE status IN ('pending', 'refunded', 'canceled') \
             AND captured_minor <> refunded_minor AND NOT cancel_refund_failed",
        )
        .await?,
    );
    found.extend(
        offenders(
            &databases.order,
            "I3 at rest in the middle of a run",
            "SELECT id, status FROM orders WHERE status IN ('reserved', 'paid')",
        )
        .await?,
    );
    Ok(found)
}
