//! The inbox: which events have been applied (rule 1). It saves work; the state decides.

use std::collections::BTreeSet;

use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DatabaseBackend, EntityTrait, sea_query::OnConflict,
};
use uuid::Uuid;

use crate::{
    Event, Failure, Tx,
    sql::{statement, text_list},
    tables::inbox,
};

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
             SELECT e.id, e.stream, $3 \
             FROM unnest(CAST($1 AS text[]), CAST($2 AS text[])) AS e (id, stream) \
             ON CONFLICT DO NOTHING RETURNING id"
        }
        // `WHERE true` tells SQLite that ON is no join condition.
        _ => {
            "INSERT INTO inbox (id, stream, received_at) \
             SELECT i.value, s.value, $3 FROM json_each($1) i JOIN json_each($2) s USING (key) \
             WHERE true \
             ON CONFLICT DO NOTHING RETURNING id"
        }
    };
    let ids = text_list(backend, events.iter().map(|event| event.id.to_string()));
    let streams = text_list(backend, events.iter().map(|event| &event.subject));
    let values = [ids, streams, tx.now().timestamp_micros().into()];
    let mut fresh = BTreeSet::new();
    for row in tx.conn().query_all_raw(statement(backend, text, values)).await? {
        let id = row.try_get_by_index::<String>(0)?;
        fresh.insert(Uuid::parse_str(&id).map_err(|e| Failure::Unclassified(e.to_string()))?);
    }
    Ok(fresh)
}

/// Claims what makes a parked record one, be it an event's id or a place in the log.
pub(super) async fn claim_identity(tx: &Tx, identity: &str, stream: &str) -> Result<(), Failure> {
    let row = inbox::ActiveModel {
        id: Set(identity.to_owned()),
        stream: Set(stream.to_owned()),
        received_at: Set(tx.now().timestamp_micros()),
    };
    let once = OnConflict::column(inbox::Column::Id).do_nothing().to_owned();
    inbox::Entity::insert_many([row]).on_conflict(once).exec_without_returning(tx.conn()).await?;
    Ok(())
}

/// Whether the event has been applied, or was discarded.
pub(super) async fn holds(tx: &Tx, identity: &str) -> Result<bool, Failure> {
    Ok(inbox::Entity::find_by_id(identity).one(tx.conn()).await?.is_some())
}
