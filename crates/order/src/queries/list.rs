//! Orders that match a filter, newest first, page by page.
//!
//! A page begins after a key that never changes, an order's creation. So an order that was there
//! when the walk began comes exactly once, whatever is created or moved meanwhile; what is created
//! later lies before the first page.

use std::collections::BTreeMap;

use oms_messaging::{Failure, sql::one_of};
use oms_service::read_snapshot;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, Select, Statement,
    sea_query::{Expr, ExprTrait},
};

use super::Queries;
use crate::{
    domain::{RunKind, Stage, Status},
    store::{
        entities::{
            lines,
            orders::{self, Column},
        },
        lines_revision,
    },
};

/// A line as it is read.
pub use crate::store::entities::lines::Model as LineRow;

/// Lines read for one page; a page that has more ends early. What fits in an answer is less, but
/// for the shortest lines there can be.
pub const LINES_MAX: usize = 20_000;

/// Which orders are wanted: those that match everything that is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListFilter {
    /// Who ordered.
    pub customer_id: Option<String>,
    /// The status callers see.
    pub status: Option<Status>,
    /// The caller's own reference.
    pub reference: Option<String>,
}

/// Where a page ends, and the next one begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageKey {
    /// When the last order was created, in microseconds since 1970.
    pub created_at: i64,
    /// Its id.
    pub id: String,
}

/// Where a page of all orders begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageStart {
    /// After the order of a key.
    After(PageKey),
    /// After so many orders.
    At(u64),
}

/// An order as it is listed, read without its refunds: the status callers see is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedOrder {
    /// Its row.
    pub row: orders::Model,
    /// The lifecycle's status.
    pub lifecycle: Status,
    /// The same in five words.
    pub stage: Stage,
    /// The status callers see.
    pub shown: Status,
    /// Its lines, in order.
    pub lines: Vec<LineRow>,
}

impl ListedOrder {
    /// The key of a page that ends with this order.
    #[must_use]
    pub fn key(&self) -> PageKey {
        PageKey { created_at: self.row.created_at, id: self.row.id.clone() }
    }
}

/// A page, and whether more follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderPage {
    /// The orders, newest first.
    pub orders: Vec<ListedOrder>,
    /// Whether there are orders after them.
    pub more: bool,
}

impl ListFilter {
    /// The statement that reads the orders of a page, for whoever asks a database how it would go
    /// about it.
    #[must_use]
    pub fn statement(&self, after: Option<&PageKey>, limit: u64, backend: DbBackend) -> Statement {
        self.select(after, limit).build(backend)
    }

    /// Every list can use one index alone: by its estimates a planner may prefer to walk all orders
    /// and leave out those of others, however many there are.
    fn select(&self, after: Option<&PageKey>, limit: u64) -> Select<orders::Entity> {
        let ListFilter { customer_id, status, reference } = self;
        let mut select = orders::Entity::find();
        select = match (reference, customer_id, status) {
            (None, None, None) => select.filter(Expr::cust(ANY)),
            (None, Some(customer), None) => select.filter(Column::CustomerId.eq(customer)),
            (None, None, Some(status)) => select.filter(Column::ShownStatus.eq(status.as_str())),
            (None, Some(customer), Some(status)) => {
                select.filter(Expr::cust(CUSTOMER_AND_STATUS).eq(format!("{customer} {status}")))
            }
            (Some(reference), ..) => {
                select.filter(Column::Reference.eq(reference)).filter(Expr::cust(HAS_REFERENCE))
            }
        };
        if reference.is_some() {
            // Looked at in what carries the reference, hidden from the indexes of their own.
            if let Some(customer) = customer_id {
                select = select.filter(Expr::cust(CUSTOMER).eq(customer.as_str()));
            }
            if let Some(status) = status {
                select = select.filter(Expr::cust(STATUS).eq(status.as_str()));
            }
        }
        if let Some(PageKey { created_at, id }) = after {
            let key = Expr::tuple([Column::CreatedAt, Column::Id].map(column));
            let after = Expr::tuple([Expr::value(*created_at), Expr::value(id.as_str())]);
            select = select.filter(key.lt(after));
        }
        select.order_by_desc(Column::CreatedAt).order_by_desc(Column::Id).limit(limit)
    }
}

/// What the index of all orders says of each of them.
const ANY: &str = r#""orders"."version" > 0"#;
/// What the index of references says of its orders.
const HAS_REFERENCE: &str = r#""orders"."reference" <> ''"#;
/// The key of customer and status; no status has a space.
const CUSTOMER_AND_STATUS: &str = r#""orders"."customer_id" || ' ' || "orders"."shown_status""#;
const CUSTOMER: &str = r#""orders"."customer_id" || ''"#;
const STATUS: &str = r#""orders"."shown_status" || ''"#;

fn column(column: Column) -> Expr {
    Expr::col((orders::Entity, column))
}

impl Queries {
    /// Up to `size` orders after `after`, by two statements: the orders, then the lines of all.
    ///
    /// # Errors
    /// Any failure of the store.
    pub async fn list_orders(
        &self,
        filter: &ListFilter,
        after: Option<&PageKey>,
        size: usize,
    ) -> Result<OrderPage, Failure> {
        // One snapshot: rows and lines of two instants could contradict each other.
        let snapshot = read_snapshot(&self.read).await?;
        let page = page(&snapshot, filter.select(after, size as u64 + 1), size).await?;
        snapshot.commit().await?;
        Ok(page)
    }

    /// Up to `size` of all orders from `start` on, and how many orders there are.
    ///
    /// # Errors
    /// Any failure of the store.
    pub async fn page_of_all(
        &self,
        start: &PageStart,
        size: usize,
    ) -> Result<(OrderPage, u64), Failure> {
        let filter = ListFilter::default();
        let snapshot = read_snapshot(&self.read).await?;
        // By the index of all orders, which is the smallest.
        let all = orders::Entity::find().filter(Expr::cust(ANY)).count(&snapshot).await?;
        let limit = size as u64 + 1;
        let select = match start {
            PageStart::After(key) => filter.select(Some(key), limit),
            // Beyond the last order nothing has to be walked to be sure.
            PageStart::At(first) => filter.select(None, limit).offset(std::cmp::min(*first, all)),
        };
        let page = page(&snapshot, select, size).await?;
        snapshot.commit().await?;
        Ok((page, all))
    }
}

/// Up to `size` orders of a statement that asks for one more, with their lines.
async fn page<C: ConnectionTrait>(
    conn: &C,
    select: Select<orders::Entity>,
    size: usize,
) -> Result<OrderPage, Failure> {
    let mut rows = select.all(conn).await?;
    let mut more = rows.len() > size;
    rows.truncate(size);
    let (complete, mut lines) = lines_of(conn, &rows).await?;
    more |= complete < rows.len();
    rows.truncate(complete);
    let orders = rows.into_iter().map(|row| {
        let lines = lines.remove(&row.id).unwrap_or_default();
        listed(row, lines)
    });
    Ok(OrderPage { orders: orders.collect::<Result<_, Failure>>()?, more })
}

/// The lines of the first orders of a page, of how many, by order. All of them, unless they have
/// more than [`LINES_MAX`]; one order never has.
async fn lines_of<C: ConnectionTrait>(
    conn: &C,
    page: &[orders::Model],
) -> Result<(usize, BTreeMap<String, Vec<LineRow>>), Failure> {
    let mut first = page;
    loop {
        if first.is_empty() {
            return Ok((0, BTreeMap::new()));
        }
        let ids = first.iter().map(|row| row.id.as_str());
        let wanted = one_of(conn.get_database_backend(), lines::Column::OrderId, ids);
        let select = lines::Entity::find().filter(wanted).limit(LINES_MAX as u64 + 1);
        let found = select.all(conn).await?;
        if found.len() > LINES_MAX && first.len() > 1 {
            first = &first[..(first.len() / 4).max(1)];
            continue;
        }
        let mut by_order: BTreeMap<String, Vec<LineRow>> = BTreeMap::new();
        for line in found {
            by_order.entry(line.order_id.clone()).or_default().push(line);
        }
        return Ok((first.len(), by_order));
    }
}

fn listed(row: orders::Model, mut lines: Vec<LineRow>) -> Result<ListedOrder, Failure> {
    let status = |word: &str| {
        let unreadable = || format!("order {}: cannot read the status `{word}`", row.id);
        Status::parse(word).ok_or_else(|| Failure::Unclassified(unreadable()))
    };
    let (lifecycle, shown) = (status(&row.status)?, status(&row.shown_status)?);
    let present = lines_revision(row.settled_revision);
    lines.retain(|line| line.revision == present);
    lines.sort_by_key(|line| line.position);
    let unreadable = || Failure::Unclassified(format!("order {}: cannot read its run", row.id));
    let run = RunKind::ALL.into_iter().find(|kind| kind.as_str() == row.run_kind);
    let stage = Stage::of(lifecycle, run.ok_or_else(unreadable)?);
    Ok(ListedOrder { row, lifecycle, stage, shown, lines })
}
