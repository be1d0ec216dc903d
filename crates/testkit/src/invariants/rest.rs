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
    // What an order still waits for, so that a failure tells which word never came.
    let sql = "SELECT o.id AS id, o.status AS status, \
               CASE WHEN run_kind <> '' THEN 'run ' || run_kind ELSE 'no run' END AS run, \
               CASE WHEN released THEN 'released' ELSE 'not released' END AS released, \
               CASE WHEN closed THEN 'closed' ELSE 'not closed' END AS closed, \
               CASE WHEN dispatched THEN 'dispatched' ELSE 'not dispatched' END AS dispatched \
               FROM orders o JOIN streams s ON s.id = o.id \
               WHERE s.ask_at IS NOT NULL OR run_kind <> ''";
    open.extend(offenders(&databases.order, "order", sql).await?);
    Ok(open)
}
