//! What the API reads: payments with their movements and calls, never locking anything.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use oms_messaging::Failure;
use oms_service::read_snapshot;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, EntityTrait, ExprTrait,
    FromQueryResult, QueryFilter, QueryOrder, QuerySelect, Select, Statement, sea_query::Expr,
};
use uuid::Uuid;

use crate::{
    domain::Snapshot,
    store::{Newest, entities::payment, instant, micros, newest},
};

/// Calls to the gateway shown with a payment.
pub const ATTEMPTS_MAX: i64 = 100;

/// Captures and refunds shown with a payment, of each: some 200 KB. The sums count all.
pub const MOVEMENTS_MAX: usize = 1_000;

/// A payment as it is shown.
#[derive(Clone, Debug)]
pub struct PaymentView {
    /// The payment itself, with its newest movements, at most [`MOVEMENTS_MAX`] of each kind.
    pub payment: Snapshot,
    /// Whether any movement is on its way through the gateway, also one that is not shown.
    pub busy: bool,
    /// The newest calls to the gateway, newest first, at most [`ATTEMPTS_MAX`].
    pub attempts: Vec<AttemptView>,
}

/// A call to the gateway as it is shown.
#[derive(Clone, Debug, FromQueryResult)]
pub struct AttemptView {
    order_id: String,
    /// The key asked with.
    pub idempotency_key: String,
    /// `approved`, `declined` or `unknown`.
    pub outcome: String,
    /// Microseconds since 1970.
    pub at: i64,
}

impl AttemptView {
    /// When it was made.
    #[must_use]
    pub fn made_at(&self) -> DateTime<Utc> {
        instant(self.at)
    }
}

/// A place in the list of payments: everything older than this comes after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// When the payment was first heard of.
    pub created_at: DateTime<Utc>,
    /// Its order; decides between payments of one instant.
    pub order_id: String,
}

impl Position {
    /// Where a payment stands in the list.
    #[must_use]
    pub fn of(payment: &Snapshot) -> Self {
        Self { created_at: payment.created_at, order_id: payment.order_id.clone() }
    }

    /// As the opaque text of a page token.
    #[must_use]
    pub fn to_token(&self) -> String {
        format!("{:x}.{}", micros(self.created_at), self.order_id)
    }

    /// Reads a page token; `None` for what is none.
    #[must_use]
    pub fn from_token(token: &str) -> Option<Self> {
        let (created_at, order_id) = token.split_once('.')?;
        let created_at = i64::from_str_radix(created_at, 16).ok()?;
        // A token is not signed: what it names goes to the database, and must be an order's id.
        let order_id = Uuid::try_parse(order_id).ok()?.to_string();
        Some(Self { created_at: DateTime::from_timestamp_micros(created_at)?, order_id })
    }
}

/// Reads payments.
#[derive(Clone, Debug)]
pub struct Queries {
    read: DatabaseConnection,
}

impl Queries {
    /// Queries over a connection for reading.
    #[must_use]
    pub fn new(read: DatabaseConnection) -> Self {
        Self { read }
    }

    /// The payment of an order, if payment has heard of it.
    ///
    /// # Errors
    /// Any failure of the store.
    pub async fn payment(&self, order_id: &str) -> Result<Option<PaymentView>, Failure> {
        // One snapshot: a payment and movements of two instants would contradict each other.
        let snapshot = read_snapshot(&self.read).await?;
        let found = views(&snapshot, &[order_id.to_owned()]).await?.pop();
        snapshot.commit().await?;
        Ok(found)
    }

    /// Payments newest first, from after `after`, at most `limit`.
    ///
    /// # Errors
    /// Any failure of the store.
    pub async fn payments(
        &self,
        after: Option<&Position>,
        limit: u64,
    ) -> Result<Vec<PaymentView>, Failure> {
        let snapshot = read_snapshot(&self.read).await?;
        let page = page_after(after, limit);
        let orders: Vec<String> = page.into_tuple().all(&snapshot).await?;
        let found = views(&snapshot, &orders).await?;
        snapshot.commit().await?;
        Ok(found)
    }
}

/// Finds the orders of a page, from after `after`; the index alone does it.
#[must_use]
pub fn page_after(after: Option<&Position>, limit: u64) -> Select<payment::Entity> {
    use payment::Column as C;
    let mut page = payment::Entity::find().select_only().column(C::OrderId);
    if let Some(Position { created_at, order_id }) = after {
        // One comparison of both: written as "older, or as old and smaller" it would not be
        // found through the index, and every page would cost more than the one before.
        let place = Expr::tuple([Expr::col(C::CreatedAt), Expr::col(C::OrderId)]);
        let after = [Expr::val(micros(*created_at)), Expr::val(order_id.as_str())];
        page = page.filter(place.lt(Expr::tuple(after)));
    }
    page.order_by_desc(C::CreatedAt).order_by_desc(C::OrderId).limit(limit)
}

/// The payments of these orders, in this order, as far as they exist.
async fn views(
    snapshot: &DatabaseTransaction,
    orders: &[String],
) -> Result<Vec<PaymentView>, Failure> {
    let mut found = newest(snapshot, orders, MOVEMENTS_MAX).await?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let mut attempts = newest_attempts(snapshot, orders).await?;
    let views = orders.iter().filter_map(|order| {
        let Newest { payment, busy } = found.remove(order)?;
        let attempts = attempts.remove(order).unwrap_or_default();
        Some(PaymentView { payment, busy, attempts })
    });
    Ok(views.collect())
}

/// The newest calls of each of these orders, by order.
async fn newest_attempts(
    snapshot: &DatabaseTransaction,
    orders: &[String],
) -> Result<BTreeMap<String, Vec<AttemptView>>, Failure> {
    let places: Vec<String> = (1..=orders.len()).map(|n| format!("${n}")).collect();
    let text = format!(
        "SELECT order_id, idempotency_key, outcome, at FROM ( \
         SELECT *, \
         ROW_NUMBER() OVER (PARTITION BY order_id ORDER BY at DESC, id DESC) AS place \
         FROM attempts WHERE order_id IN ({})) AS newest \
         WHERE place <= {ATTEMPTS_MAX} ORDER BY order_id, place",
        places.join(", "),
    );
    let values = orders.iter().map(|order| order.as_str().into());
    let backend = snapshot.get_database_backend();
    let statement = Statement::from_sql_and_values(backend, text, values);
    let mut by_order: BTreeMap<String, Vec<AttemptView>> = BTreeMap::new();
    for attempt in AttemptView::find_by_statement(statement).all(snapshot).await? {
        by_order.entry(attempt.order_id.clone()).or_default().push(attempt);
    }
    Ok(by_order)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_token_leads_back_to_its_position() {
        let order_id = "018f5a00-0000-7000-8000-000000000001".to_owned();
        let position = Position { created_at: instant(1_234_567_890), order_id: order_id.clone() };
        assert_eq!(Position::from_token(&position.to_token()), Some(position));
        let late = format!("7fffffffffffffff.{order_id}");
        for bad in ["", "x", "zz.a", "12", "12.", "12.\0", "12.order", &late] {
            assert_eq!(Position::from_token(bad), None, "{bad}");
        }
    }
}
