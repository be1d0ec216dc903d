//! Writing orders: one statement per table, however many orders.

use oms_messaging::{
    Failure,
    sql::{insert, one_of},
};
use sea_orm::{
    ConnectionTrait, EntityTrait, Iterable, QueryFilter,
    sea_query::{Alias, Expr, ExprTrait, OnConflict},
};

use super::{
    entities::{amendments, lines, orders, refunds, timeline},
    rows,
    session::Held,
};

/// Writes the rows of changed orders; each keeps its new timeline entries as they were written.
pub(super) async fn write<C: ConnectionTrait>(
    conn: &C,
    changed: &mut [Held],
) -> Result<(), Failure> {
    write_orders(conn, changed).await?;
    let mut new_lines = Vec::new();
    let mut other_lines = Vec::new();
    let mut entries = Vec::new();
    let mut moved_refunds = Vec::new();
    let mut ended = Vec::new();
    for held in changed {
        let order = &mut held.order;
        let id = order.id();
        let known = held.before.as_ref().map(|(state, _)| state);
        if known.is_none_or(|state| rows::lines_differ(state, order.state())) {
            new_lines.extend(rows::line_rows(order));
            other_lines.extend(known.map(|_| id.to_string()));
        }
        let noted = order.take_entries().into_iter().map(|entry| rows::entry_row(id, entry));
        held.entries = noted.collect();
        entries.extend(held.entries.iter().cloned().map(timeline::ActiveModel::from));
        let before = held.before.as_ref().map_or(&[][..], |(state, _)| &state.refunds);
        let moved = order.refunds().iter().filter(|refund| !before.contains(refund));
        ended.extend(order.ended_amendments().iter().map(rows::amendment_row));
        moved_refunds.extend(moved.map(|refund| rows::refund_row(order, refund)));
    }
    if !other_lines.is_empty() {
        let old = one_of(conn.get_database_backend(), lines::Column::OrderId, other_lines);
        lines::Entity::delete_many().filter(old).exec(conn).await?;
    }
    insert::<lines::ActiveModel>(conn, new_lines, None).await?;
    insert::<timeline::ActiveModel>(conn, entries, None).await?;
    insert::<amendments::ActiveModel>(conn, ended, None).await?;
    use refunds::Column as C;
    let replace =
        OnConflict::column(C::Id).update_columns([C::State, C::Code, C::EndedAt]).to_owned();
    insert::<refunds::ActiveModel>(conn, moved_refunds, Some(replace)).await?;
    Ok(())
}

/// Inserts or updates; an update only counts while the row still has the version it was loaded
/// with. The stream's lock already makes sure of it: this catches whoever forgets the lock.
async fn write_orders<C: ConnectionTrait>(conn: &C, changed: &[Held]) -> Result<(), Failure> {
    let models: Vec<orders::ActiveModel> =
        changed.iter().map(|held| rows::row_of(&held.order, held.next_row_version())).collect();
    let columns = orders::Column::iter().filter(|column| !matches!(column, orders::Column::Id));
    let excluded = Expr::col((Alias::new("excluded"), orders::Column::RowVersion));
    // Spelt out rather than bound: a constant of the text, not of the call.
    let unchanged =
        Expr::col((orders::Entity, orders::Column::RowVersion)).eq(excluded.sub(Expr::cust("1")));
    let replace = OnConflict::column(orders::Column::Id)
        .update_columns(columns)
        .action_and_where(unchanged)
        .to_owned();
    if insert(conn, models, Some(replace)).await? != changed.len() as u64 {
        return Err(Failure::transient("an order was changed without its lock"));
    }
    Ok(())
}
