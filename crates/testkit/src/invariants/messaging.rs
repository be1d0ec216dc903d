//! I6 and I8: every row is on the topic, every event applied by whoever hears it, no dead letter.

use std::collections::BTreeSet;

use oms_events::{Service, catalogue};
use sea_orm::DatabaseConnection;

use super::{
    Databases, Evidence, Topic,
    query::{offenders, rows},
};

pub(super) async fn broken(
    databases: &Databases,
    evidence: Evidence<'_>,
) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for (service, database) in [
        (Service::Order, &databases.order),
        (Service::Inventory, &databases.inventory),
        (Service::Payment, &databases.payment),
    ] {
        let name = service.name();
        let what = format!("I8 {name} has parked");
        let sql = "SELECT COALESCE(stream, '') AS stream, event_type, reason, message FROM parked";
        let mut dead = offenders(database, &what, sql).await?;
        let what = format!("I8 {name} has written a dead letter");
        let sql = "SELECT COALESCE(stream, '') AS stream, id FROM outbox WHERE topic LIKE '%.dlq%'";
        dead.extend(offenders(database, &what, sql).await?);
        dead.retain(|line| !evidence.poisoned.iter().any(|stream| line.contains(stream)));
        found.extend(dead);
        let what = format!("I6 {name} has parked what its inbox says was applied");
        let sql = "SELECT p.identity FROM parked p JOIN inbox i ON i.id = p.identity";
        found.extend(offenders(database, &what, sql).await?);
        let what = format!("I6 {name}: sequences of a stream have gaps");
        let sql = "SELECT s.id AS id FROM streams s \
                   WHERE s.sequence <> (SELECT COUNT(*) FROM outbox o \
                                        WHERE o.stream = s.id AND o.topic NOT LIKE '%.dlq%')";
        found.extend(offenders(database, &what, sql).await?);
        if let Some(said) = evidence.said {
            found.extend(unsaid(name, database, said).await?);
        }
        if let Some(heard) = evidence.heard {
            found.extend(unheard(service, database, heard).await?);
        }
    }
    Ok(found)
}

/// Nothing passes what is parked: a stream is marked exactly as long as something of it is
/// (rule 4).
pub(super) async fn broken_in_motion(databases: &Databases) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for (name, database) in [
        ("order", &databases.order),
        ("inventory", &databases.inventory),
        ("payment", &databases.payment),
    ] {
        let what = format!("I6 {name} has parked events of a stream that is not marked");
        let sql = "SELECT DISTINCT p.stream AS stream FROM parked p \
                   JOIN streams s ON s.id = p.stream WHERE NOT s.parked";
        found.extend(offenders(database, &what, sql).await?);
        let what = format!("I6 {name} marks a stream of which nothing is parked");
        let sql = "SELECT s.id AS id FROM streams s WHERE s.parked \
                   AND NOT EXISTS (SELECT 1 FROM parked p WHERE p.stream = s.id)";
        found.extend(offenders(database, &what, sql).await?);
    }
    Ok(found)
}

/// Rows this service wrote that were never on the topic.
async fn unsaid(
    name: &str,
    database: &DatabaseConnection,
    topic: &Topic,
) -> anyhow::Result<Vec<String>> {
    let rows = ids(database, "SELECT id FROM outbox WHERE topic NOT LIKE '%.dlq%'").await?;
    let lost = rows.iter().filter(|id| !topic.contains_key(*id));
    Ok(lost.map(|id| format!("I6 {name} said {id}, and it is not on the topic")).collect())
}

/// Events on the topic that this service hears and has not applied.
async fn unheard(
    service: Service,
    database: &DatabaseConnection,
    topic: &Topic,
) -> anyhow::Result<Vec<String>> {
    let name = service.name();
    let applied = ids(database, "SELECT id FROM inbox").await?;
    let heard: BTreeSet<&str> = catalogue()
        .iter()
        .filter(|entry| entry.listeners.contains(&service))
        .map(|entry| entry.event_type)
        .collect();
    let missed = topic
        .iter()
        .filter(|(id, event_type)| heard.contains(event_type.as_str()) && !applied.contains(*id));
    Ok(missed.map(|(id, what)| format!("I6 {name} has not applied {what} {id}")).collect())
}

async fn ids(database: &DatabaseConnection, sql: &str) -> anyhow::Result<BTreeSet<String>> {
    let rows = rows(database, sql).await?;
    Ok(rows.iter().map(|row| row.try_get("", "id")).collect::<Result<_, _>>()?)
}
