//! Statements with a fixed text: lists travel as one JSON parameter, so that a batch of any size
//! is the same prepared statement on both databases.

use sea_orm::{DatabaseBackend, Statement, Value};

/// A statement with `$n` parameters, which PostgreSQL and SQLite both read.
pub(crate) fn statement(
    backend: DatabaseBackend,
    text: impl Into<String>,
    values: impl IntoIterator<Item = Value>,
) -> Statement {
    Statement::from_sql_and_values(backend, text, values)
}

/// Parameter `n`, a JSON array of strings, as a subquery of texts.
pub(crate) fn texts(backend: DatabaseBackend, n: usize) -> String {
    match backend {
        DatabaseBackend::Postgres => format!("(SELECT json_array_elements_text(${n}::json))"),
        _ => format!("(SELECT value FROM json_each(${n}))"),
    }
}

/// Parameter `n`, a JSON array of integers, as a subquery of numbers.
pub(crate) fn numbers(backend: DatabaseBackend, n: usize) -> String {
    match backend {
        DatabaseBackend::Postgres => {
            format!("(SELECT json_array_elements_text(${n}::json)::bigint)")
        }
        _ => format!("(SELECT value FROM json_each(${n}))"),
    }
}

/// A list as the JSON parameter that [`texts`] and [`numbers`] unfold.
pub(crate) fn list<T: Into<serde_json::Value>>(items: impl IntoIterator<Item = T>) -> Value {
    items.into_iter().map(Into::into).collect::<serde_json::Value>().to_string().into()
}
