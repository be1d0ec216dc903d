//! Whether a system is at rest: nobody waits, nothing is due.

use super::{Databases, query::offenders};

/// What is still open; empty at rest.
///
/// # Errors
/// When a database cannot be read.
pub async fn open_business(databases: &Databases) -> anyhow::Result<Vec<String>> {
    let mut open = Vec::new();
    for (name, database) in [
        ("order", &databases.order),
        ("inventory", &databases.inventory),
        ("payment", &databases.payment),
    ] {
        let waits = format!("{name} waits");
        let sql = "SELECT id FROM streams WHERE ask_at IS NOT NULL";
        open.extend(offenders(database, &waits, sql).await?);
        let due = format!("{name} has to publish");
        let sql = "SELECT event_type, COALESCE(stream, '') AS stream FROM outbox \
                   WHERE published_at IS NULL";
        open.extend(offenders(database, &due, sql).await?);
    }
    let sql = "SELECT order_id FROM captures WHERE state = 'due'";
    open.extend(offenders(&databases.payment, "capture due", sql).await?);
    let sql = "SELECT refund_id FROM refunds WHERE state = 'due'";
    open.extend(offenders(&databases.payment, "refund due", sql).await?);
    let sql = "SELECT id, run_kind FROM orders WHERE run_kind <> ''";
    open.extend(offenders(&databases.order, "run open", sql).await?);
    Ok(open)
}
