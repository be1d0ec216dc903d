//! Writing orders: one statement per table, however many orders.

use oms_messaging::Failure;
use sea_orm::{
    ConnectionTrait, EntityTrait, Iterable,
    sea_query::{Alias, Expr, ExprTrait, OnConflict},
};

use super::{
    entities::{lines, orders, refunds, timeline},
    rows,
    session::Held,
};

/// Rows in one statement; far below what either database takes as parameters (32,766 on SQLite
/// for 29 columns).
const ROWS_MAX: usize = 500;

/// Writes the rows of changed orders and takes their new timeline entries away.
pub(super) async fn write<C: ConnectionTrait>(
    conn: &C,
    changed: &mut [Held],
) -> Result<(), Failure> {
    write_orders(conn, changed).await?;
    let mut new_lines = Vec::new();
    let mut entries = Vec::new();
    let mut moved_refunds = Vec::new();
    for held in changed {
        let order = &mut held.order;
        if held.before.is_none() {
            new_lines.extend(rows::line_rows(order));
        }
        let id = order.id();
        entries.extend(order.take_entries().into_iter().map(|entry| rows::entry_row(id, entry)));
        let before = held.before.as_ref().map_or(&[][..], |(state, _)| &state.refunds);
        let moved = order.refunds().iter().filter(|refund| !before.contains(refund));
        moved_refunds.extend(moved.map(|refund| rows::refund_row(order, refund)));
    }
    for chunk in new_lines.chunks(ROWS_MAX) {
        lines::Entity::insert_many(chunk.to_vec()).exec_without_returning(conn).await?;
    }
    for chunk in entries.chunks(ROWS_MAX) {
        timeline::Entity::insert_many(chunk.to_vec()).exec_without_returning(conn).await?;
    }
    use refunds::Column as C;
    for chunk in moved_refunds.chunks(ROWS_MAX) {
        let replace =
            OnConflict::column(C::Id).update_columns([C::State, C::Code, C::EndedAt]).to_owned();
        refunds::Entity::insert_many(chunk.to_vec())
            .on_conflict(replace)
            .exec_without_returning(conn)
            .await?;
    }
    Ok(())
}

/// Inserts or updates; an update only counts while the row still has the version it was loaded
/// with. The stream's lock already makes sure of it: this catches whoever forgets the lock.
async fn write_orders<C: ConnectionTrait>(conn: &C, changed: &[Held]) -> Result<(), Failure> {
    for chunk in changed.chunks(ROWS_MAX) {
        let next = |held: &Held| held.before.as_ref().map_or(0, |(_, version)| version + 1);
        let models = chunk.iter().map(|held| rows::row_of(&held.order, next(held)));
        let columns = orders::Column::iter().filter(|column| !matches!(column, orders::Column::Id));
        let excluded = Expr::col((Alias::new("excluded"), orders::Column::RowVersion));
        let unchanged =
            Expr::col((orders::Entity, orders::Column::RowVersion)).eq(excluded.sub(1_i64));
        let replace = OnConflict::column(orders::Column::Id)
            .update_columns(columns)
            .action_and_where(unchanged)
            .to_owned();
        let written = orders::Entity::insert_many(models)
            .on_conflict(replace)
            .exec_without_returning(conn)
            .await?;
        if written != chunk.len() as u64 {
            return Err(Failure::transient("an order was changed without its lock"));
        }
    }
    Ok(())
}
