//! What is due at the gateway.

use chrono::{DateTime, Utc};
use oms_messaging::Failure;
use sea_orm::{DatabaseConnection, FromQueryResult, Statement};

use crate::{
    domain::{Origin, capture_key, refund_key},
    gateway::{CaptureOrder, RefundOrder},
    store::micros,
};

/// Which movement of the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Movement {
    Capture { revision: i32, customer_id: String, method: String },
    Refund { refund_id: String },
}

/// A movement that is due.
#[derive(Clone, Debug)]
pub(super) struct Due {
    pub order_id: String,
    pub movement: Movement,
    pub amount: i64,
    pub currency: String,
    pub attempts: u32,
    pub traceparent: Option<String>,
}

/// What the gateway is asked.
pub(super) enum Order {
    Capture(CaptureOrder),
    Refund(RefundOrder),
}

impl Due {
    /// The key the gateway knows it by.
    pub(super) fn key(&self) -> String {
        match &self.movement {
            Movement::Capture { revision, .. } => capture_key(&self.order_id, *revision),
            Movement::Refund { refund_id } => refund_key(refund_id),
        }
    }

    pub(super) fn kind(&self) -> &'static str {
        match self.movement {
            Movement::Capture { .. } => "capture",
            Movement::Refund { .. } => "refund",
        }
    }

    /// What the call is called in a trace.
    pub(super) fn span_name(&self) -> &'static str {
        match self.movement {
            Movement::Capture { .. } => "gateway capture",
            Movement::Refund { .. } => "gateway refund",
        }
    }

    pub(super) fn order(&self) -> Order {
        let (idempotency_key, order_id) = (self.key(), self.order_id.clone());
        let (amount_minor, currency) = (self.amount, self.currency.clone());
        match self.movement.clone() {
            Movement::Capture { customer_id, method, .. } => Order::Capture(CaptureOrder {
                idempotency_key,
                order_id,
                customer_id,
                amount_minor,
                currency,
                method,
            }),
            Movement::Refund { .. } => {
                Order::Refund(RefundOrder { idempotency_key, order_id, amount_minor, currency })
            }
        }
    }
}

#[derive(FromQueryResult)]
struct Row {
    order_id: String,
    revision: i32,
    refund_id: String,
    amount: i64,
    currency: String,
    customer_id: String,
    method: String,
    attempts: i32,
    origin: String,
}

/// Oldest first. Both arms run over the partial index of what is due; a revision of 0 is a refund.
const SELECT: &str = "\
    SELECT c.order_id, c.revision, '' AS refund_id, c.amount, p.currency, p.customer_id, c.method, \
           c.attempts, c.origin, c.next_at \
    FROM captures c JOIN payments p ON p.order_id = c.order_id WHERE c.next_at <= $1 \
    UNION ALL \
    SELECT r.order_id, 0, r.refund_id, r.amount, p.currency, '', '', \
    r.attempts, r.origin, r.next_at \
    FROM refunds r JOIN payments p ON p.order_id = r.order_id WHERE r.next_at <= $1 \
    ORDER BY next_at LIMIT $2";

/// What is due now, oldest first, at most `limit`.
pub(super) async fn select(
    database: &DatabaseConnection,
    now: DateTime<Utc>,
    limit: usize,
) -> Result<Vec<Due>, Failure> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let statement = Statement::from_sql_and_values(
        database.get_database_backend(),
        SELECT,
        [micros(now).into(), limit.into()],
    );
    let rows = Row::find_by_statement(statement).all(database).await?;
    Ok(rows.into_iter().map(due).collect())
}

fn due(row: Row) -> Due {
    let movement = if row.revision == 0 {
        Movement::Refund { refund_id: row.refund_id }
    } else {
        Movement::Capture {
            revision: row.revision,
            customer_id: row.customer_id,
            method: row.method,
        }
    };
    // Only the trace is wanted here; without it the call is simply a trace of its own.
    let origin: Origin = serde_json::from_str(&row.origin).unwrap_or_default();
    Due {
        order_id: row.order_id,
        movement,
        amount: row.amount,
        currency: row.currency,
        attempts: row.attempts.unsigned_abs(),
        traceparent: origin.traceparent,
    }
}
