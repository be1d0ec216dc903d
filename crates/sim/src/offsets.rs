//! Whether offsets run ahead of what was applied (I6): asking would heal it and hide the mistake.

use std::collections::BTreeSet;

use oms_events::{Service, TOPIC, catalogue};
use oms_messaging::{Event, SimulatedLog};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};

/// Events before a group's committed offset that its service neither applied nor parked.
pub(crate) async fn ahead(
    log: &SimulatedLog,
    service: Service,
    database: &DatabaseConnection,
) -> anyhow::Result<Vec<String>> {
    let sql = "SELECT id FROM inbox UNION SELECT identity AS id FROM parked";
    let statement = Statement::from_string(database.get_database_backend(), sql);
    let rows = database.query_all_raw(statement).await?;
    let done: BTreeSet<String> =
        rows.iter().map(|row| row.try_get("", "id")).collect::<Result<_, _>>()?;
    let known = catalogue();
    let hears = |event_type: &str| {
        let entry = known.iter().find(|entry| entry.event_type == event_type);
        entry.is_some_and(|entry| entry.listeners.contains(&service))
    };
    let committed = log.committed(&format!("oms-{}", service.name()));
    let mut found = Vec::new();
    for delivery in log.records(TOPIC) {
        let passed = committed.get(&delivery.partition).is_some_and(|at| delivery.offset < *at);
        let Ok(event) = Event::parse(&delivery.record.payload) else { continue };
        if passed && hears(&event.event_type) && !done.contains(&event.id.to_string()) {
            let (name, what) = (service.name(), event.event_type);
            found.push(format!(
                "I6 {name} is past {what} of {} and has not applied it",
                event.subject
            ));
        }
    }
    Ok(found)
}
