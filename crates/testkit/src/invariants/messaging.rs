//! I6 and I8: every row is on the topic, every event applied by whoever hears it, no dead letter.

use std::collections::BTreeSet;

use oms_events::{Service, catalogue};
use sea_orm::DatabaseConnection;

use super::{
    Databases, Topic,
    query::{offenders, rows},
};

pub(super) async fn broken(
    databases: &Databases,
    topic: Option<&Topic>,
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
        found.extend(offenders(database, &what, sql).await?);
        let what = format!("I8 {name} has written a dead letter");
        let sql = "SELECT id FROM outbox WHERE topic LIKE '%.dlq'";
        found.extend(offenders(database, &what, sql).await?);
        let what = format!("I6 {name}: sequences of a stream have gaps");
        let sql = "SELECT s.id AS id FROM streams s \
                   WHERE s.sequence <> (SELECT COUNT(*) FROM outbox o \
                                        WHERE o.stream = s.id AND o.topic NOT LIKE '%.dlq')";
        found.extend(offenders(database, &what, sql).await?);
        if let Some(topic) = topic {
            found.extend(travelled(service, database, topic).await?);
        }
    }
    Ok(found)
}

/// Every row this service wrote is on the topic, and every event it hears is in its inbox.
async fn travelled(
    service: Service,
    database: &DatabaseConnection,
    topic: &Topic,
) -> anyhow::Result<Vec<String>> {
    let name = service.name();
    let said = ids(database, "SELECT id FROM outbox WHERE topic NOT LIKE '%.dlq'").await?;
    let applied = ids(database, "SELECT id FROM inbox").await?;
    let heard: BTreeSet<&str> = catalogue()
        .iter()
        .filter(|entry| entry.listeners.contains(&service))
        .map(|entry| entry.event_type)
        .collect();
    let lost = said.iter().filter(|id| !topic.contains_key(*id));
    let mut found: Vec<String> =
        lost.map(|id| format!("I6 {name} said {id}, and it is not on the topic")).collect();
    let missed = topic
        .iter()
        .filter(|(id, event_type)| heard.contains(event_type.as_str()) && !applied.contains(*id));
    found.extend(missed.map(|(id, what)| format!("I6 {name} has not applied {what} {id}")));
    Ok(found)
}

async fn ids(database: &DatabaseConnection, sql: &str) -> anyhow::Result<BTreeSet<String>> {
    let rows = rows(database, sql).await?;
    Ok(rows.iter().map(|row| row.try_get("", "id")).collect::<Result<_, _>>()?)
}
