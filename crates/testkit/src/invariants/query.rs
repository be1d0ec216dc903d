//! Small queries.

use sea_orm::{ConnectionTrait, DatabaseConnection, QueryResult, Statement};

/// The rows of a query.
pub(super) async fn rows(
    database: &DatabaseConnection,
    sql: &str,
) -> anyhow::Result<Vec<QueryResult>> {
    let statement = Statement::from_string(database.get_database_backend(), sql);
    Ok(database.query_all_raw(statement).await?)
}

/// A line for each row of a query whose columns are all text, as `what: a, b, …`.
pub(super) async fn offenders(
    database: &DatabaseConnection,
    what: &str,
    sql: &str,
) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for row in rows(database, sql).await? {
        let names = row.column_names();
        let values: Vec<String> =
            names.iter().map(|name| row.try_get("", name)).collect::<Result<_, _>>()?;
        found.push(format!("{what}: {}", values.join(", ")));
    }
    Ok(found)
}
