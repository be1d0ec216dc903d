//! How many rows there are: what a refused call must not change.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseConnection, Statement};

/// Tables that say who works, not what was done: their rows come and go by themselves.
const NOT_COUNTED: [&str; 1] = ["leases"];

/// How many rows every table of a database has.
///
/// # Panics
/// When the database does not answer.
pub async fn count_rows(database: &DatabaseConnection) -> BTreeMap<String, i64> {
    let backend = database.get_database_backend();
    let names = match backend {
        DatabaseBackend::Postgres => {
            "SELECT table_name FROM information_schema.tables \
             WHERE table_schema = current_schema()"
        }
        _ => "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
    };
    let names = database.query_all_raw(Statement::from_string(backend, names)).await;
    let names = names.expect("the names of the tables");
    let names = names.iter().map(|row| row.try_get_by_index::<String>(0).expect("a name"));
    let mut counts = BTreeMap::new();
    for name in names.filter(|name| !NOT_COUNTED.contains(&name.as_str())) {
        let count = Statement::from_string(backend, format!("SELECT count(*) FROM \"{name}\""));
        let row = database.query_one_raw(count).await.expect("a count").expect("one row");
        counts.insert(name, row.try_get_by_index(0).expect("a number"));
    }
    counts
}
