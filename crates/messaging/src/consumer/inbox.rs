//! The inbox: which events have been applied (rule 1). It saves work; the state decides.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, DatabaseBackend, EntityTrait};
use uuid::Uuid;

use crate::{Event, Failure, Tx, sql::statement, tables::inbox};

/// Claims ids in one statement and returns those that were not claimed before. An id that appears
/// twice counts once.
pub(super) async fn claim(tx: &Tx, events: &[&Event]) -> Result<BTreeSet<Uuid>, Failure> {
    if events.is_empty() {
        return Ok(BTreeSet::new());
    }
    let backend = tx.conn().get_database_backend();
    let text = match backend {
        DatabaseBackend::Postgres => {
            "INSERT INTO inbox (id, stream, received_at) \
             SELECT e->>0, e->>1, $2 FROM json_array_elements($1::json) e \
             ON CONFLICT DO NOTHING RETURNING id"
        }
        // `WHERE true` tells SQLite that ON is no join condition.
        _ => {
            "INSERT INTO inbox (id, stream, received_at) \
             SELECT value->>0, value->>1, $2 FROM json_each($1) WHERE true \
             ON CONFLICT DO NOTHING RETURNING id"
        }
    };
    let ids: Vec<_> = events.iter().map(|e| (e.id.to_string(), e.subject.as_str())).collect();
    let ids = serde_json::to_string(&ids).map_err(|e| Failure::Unclassified(e.to_string()))?;
    let values = [ids.into(), tx.now().timestamp_micros().into()];
    let mut fresh = BTreeSet::new();
    for row in tx.conn().query_all_raw(statement(backend, text, values)).await? {
        let id = row.try_get_by_index::<String>(0)?;
        fresh.insert(Uuid::parse_str(&id).map_err(|e| Failure::Unclassified(e.to_string()))?);
    }
    Ok(fresh)
}

/// Whether the event has been applied.
pub(super) async fn holds(tx: &Tx, id: &Uuid) -> Result<bool, Failure> {
    Ok(inbox::Entity::find_by_id(id.to_string()).one(tx.conn()).await?.is_some())
}
