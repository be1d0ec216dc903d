//! Inserting rows, however many, by one statement text.

use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, ConnectionTrait, DatabaseBackend, DbErr,
    EntityTrait, Iterable,
    sea_query::{Alias, ColumnType, Expr, ExprTrait, Func, InsertStatement, OnConflict, Query},
};

use super::array;

/// Parameters of one statement on SQLite; over the columns of a row it bounds the rows at a time.
const PARAMETERS_MAX: usize = 32_766;

type Column<A> = <<A as ActiveModelTrait>::Entity as EntityTrait>::Column;

/// Inserts rows and returns how many were written; `conflict` says what happens where one is there
/// already. Columns that the first row leaves unset are the database's to fill, in all rows.
///
/// # Errors
/// Any failure of the database; [`DbErr::Type`] for a column of a type that no table of OMS has.
pub async fn insert<A: ActiveModelTrait>(
    conn: &impl ConnectionTrait,
    rows: Vec<A>,
    conflict: Option<OnConflict>,
) -> Result<u64, DbErr> {
    let Some(first) = rows.first() else { return Ok(0) };
    let is_set = |column: &Column<A>| !matches!(first.get(*column), ActiveValue::NotSet);
    let columns: Vec<Column<A>> = Column::<A>::iter().filter(is_set).collect();
    let mut written = 0;
    for chunk in rows.chunks(PARAMETERS_MAX / columns.len().max(1)) {
        written += match conn.get_database_backend() {
            DatabaseBackend::Postgres => {
                let insert = unnested(chunk, &columns, conflict.as_ref())?;
                conn.execute(&insert).await?.rows_affected()
            }
            _ => listed(conn, chunk, conflict.as_ref()).await?,
        };
    }
    Ok(written)
}

/// One array per column, unfolded side by side: in a list of expressions, sets of one length keep
/// pace.
fn unnested<A: ActiveModelTrait>(
    rows: &[A],
    columns: &[Column<A>],
    conflict: Option<&OnConflict>,
) -> Result<InsertStatement, DbErr> {
    let mut unfolded = Query::select();
    for column in columns {
        let mut elements = Vec::with_capacity(rows.len());
        for row in rows {
            elements.push(match row.get(*column) {
                ActiveValue::Set(value) | ActiveValue::Unchanged(value) => array::element(value)?,
                ActiveValue::NotSet => {
                    let name = column.as_column_ref();
                    return Err(DbErr::Type(format!("{name:?} is set in some rows only")));
                }
            });
        }
        let array = Expr::val(array::literal(elements));
        let array = array.cast_as(Alias::new(format!("{}[]", type_name::<A>(*column)?)));
        unfolded.expr(Func::cust("unnest").arg(array));
    }
    let mut insert = Query::insert();
    insert
        .into_table(A::Entity::default())
        .columns(columns.iter().copied())
        .select_from(unfolded)
        .map_err(|error| DbErr::Query(sea_orm::RuntimeErr::Internal(error.to_string())))?;
    if let Some(conflict) = conflict {
        insert.on_conflict(conflict.clone());
    }
    Ok(insert)
}

/// Multi-row `VALUES`.
async fn listed<A: ActiveModelTrait>(
    conn: &impl ConnectionTrait,
    rows: &[A],
    conflict: Option<&OnConflict>,
) -> Result<u64, DbErr> {
    let mut insert = A::Entity::insert_many(rows.to_vec());
    if let Some(conflict) = conflict {
        insert = insert.on_conflict(conflict.clone());
    }
    insert.exec_without_returning(conn).await
}

/// PostgreSQL's name of a column's type.
fn type_name<A: ActiveModelTrait>(column: Column<A>) -> Result<&'static str, DbErr> {
    let definition = column.def();
    Ok(match definition.get_column_type() {
        ColumnType::Text | ColumnType::String(_) => "text",
        ColumnType::Integer => "integer",
        ColumnType::BigInteger => "bigint",
        ColumnType::Boolean => "boolean",
        ColumnType::Blob | ColumnType::VarBinary(_) => "bytea",
        other => return Err(DbErr::Type(format!("{other:?} in an array"))),
    })
}

#[cfg(test)]
mod tests {
    use sea_orm::ActiveValue::Set;

    use super::*;
    use crate::tables::streams::{ActiveModel, Column as C};

    fn rows(count: i64) -> Vec<ActiveModel> {
        let row = |n: i64| ActiveModel {
            id: Set(format!("order-{n}")),
            sequence: Set(n),
            parked: Set(false),
            ask_at: Set((n > 0).then_some(n)),
            ..Default::default()
        };
        (0..count).map(row).collect()
    }

    fn text(rows: &[ActiveModel]) -> String {
        let columns = [C::Id, C::Sequence, C::Parked, C::AskAt];
        let replace = OnConflict::column(C::Id).update_columns([C::Sequence]).to_owned();
        let insert = unnested(rows, &columns, Some(&replace)).unwrap();
        DatabaseBackend::Postgres.build(&insert).sql
    }

    #[test]
    fn the_text_is_the_same_for_any_number_of_rows() {
        assert_eq!(text(&rows(1)), text(&rows(100)));
        assert_eq!(
            text(&rows(2)),
            "INSERT INTO \"streams\" (\"id\", \"sequence\", \"parked\", \"ask_at\") SELECT \
             unnest(CAST($1 AS text[])), unnest(CAST($2 AS bigint[])), \
             unnest(CAST($3 AS boolean[])), unnest(CAST($4 AS bigint[])) \
             ON CONFLICT (\"id\") DO UPDATE SET \"sequence\" = \"excluded\".\"sequence\""
        );
    }

    #[test]
    fn rows_that_differ_in_what_they_set_are_refused() {
        let mut uneven = rows(2);
        uneven[1].sequence = ActiveValue::NotSet;
        let error = unnested(&uneven, &[C::Id, C::Sequence], None).unwrap_err();
        assert!(matches!(error, DbErr::Type(_)), "{error}");
    }
}
