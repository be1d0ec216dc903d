//! I6 and I8: every row was published, no dead letter, every event applied by whoever hears it.

use super::{Databases, query::offenders};

pub(super) async fn broken(databases: &Databases) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for (name, database) in [
        ("order", &databases.order),
        ("inventory", &databases.inventory),
        ("payment", &databases.payment),
    ] {
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
    }
    Ok(found)
}
