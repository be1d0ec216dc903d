//! Lists as one parameter.

use sea_orm::{
    ColumnTrait, DatabaseBackend, Statement, Value,
    sea_query::{Expr, SimpleExpr},
};

use super::array;

/// A statement with `$n` parameters, which PostgreSQL and SQLite both read.
pub fn statement(
    backend: DatabaseBackend,
    text: impl Into<String>,
    values: impl IntoIterator<Item = Value>,
) -> Statement {
    Statement::from_sql_and_values(backend, text, values)
}

/// Parameter `n`, a [`text_list`], as a subquery.
#[must_use]
pub fn texts(backend: DatabaseBackend, n: usize) -> String {
    unfolded(backend, n, "text")
}

/// Parameter `n`, a [`number_list`], as a subquery.
#[must_use]
pub fn numbers(backend: DatabaseBackend, n: usize) -> String {
    unfolded(backend, n, "bigint")
}

fn unfolded(backend: DatabaseBackend, n: usize, type_name: &str) -> String {
    match backend {
        DatabaseBackend::Postgres => format!("(SELECT unnest(CAST(${n} AS {type_name}[])))"),
        _ => format!("(SELECT value FROM json_each(${n}))"),
    }
}

/// The parameter that [`texts`] unfolds.
pub fn text_list<T: AsRef<str>>(
    backend: DatabaseBackend,
    items: impl IntoIterator<Item = T>,
) -> Value {
    let items = items.into_iter().map(|item| item.as_ref().to_owned());
    match backend {
        DatabaseBackend::Postgres => array::literal(items.map(Some)).into(),
        _ => items.collect::<serde_json::Value>().to_string().into(),
    }
}

/// The parameter that [`numbers`] unfolds.
pub fn number_list(backend: DatabaseBackend, items: impl IntoIterator<Item = i64>) -> Value {
    let items = items.into_iter();
    match backend {
        DatabaseBackend::Postgres => {
            array::literal(items.map(|number| Some(number.to_string()))).into()
        }
        _ => items.collect::<serde_json::Value>().to_string().into(),
    }
}

/// The condition that a column holds one of these texts.
pub fn one_of<C: ColumnTrait, T: AsRef<str>>(
    backend: DatabaseBackend,
    column: C,
    items: impl IntoIterator<Item = T>,
) -> SimpleExpr {
    let table = column.entity_name().to_string();
    let name = column.as_str();
    let condition = match backend {
        DatabaseBackend::Postgres => format!("\"{table}\".\"{name}\" = ANY(CAST($1 AS text[]))"),
        _ => format!("\"{table}\".\"{name}\" IN (SELECT value FROM json_each(?))"),
    };
    Expr::cust_with_values(condition, [text_list(backend, items)])
}
