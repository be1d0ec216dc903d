//! Between the domain's data and the wire's.

use chrono::{DateTime, Utc};
use oms_proto::oms_v1 as wire;
use oms_service::idempotency::Answer;
use prost::Message;
use prost_types::Timestamp;

use super::{calls::remembered, status::of_domain};
use crate::{
    commands::{GivenBack, StatusNow},
    domain::{Line, Order, Refusal, Status, StatusReason},
    queries::{LineRow, ListedOrder, OrderView, Step, TimelineRow},
};

/// A status as the wire numbers it.
pub(super) fn status(status: Status) -> wire::OrderStatus {
    match status {
        Status::Pending => wire::OrderStatus::Pending,
        Status::Reserved => wire::OrderStatus::Reserved,
        Status::Paid => wire::OrderStatus::Paid,
        Status::Confirmed => wire::OrderStatus::Confirmed,
        Status::Canceled => wire::OrderStatus::Canceled,
        Status::Refunded => wire::OrderStatus::Refunded,
        Status::Shipped => wire::OrderStatus::Shipped,
        Status::Completed => wire::OrderStatus::Completed,
    }
}

fn timestamp(at: DateTime<Utc>) -> Option<Timestamp> {
    from_micros(at.timestamp_micros())
}

fn from_micros(micros: i64) -> Option<Timestamp> {
    let nanos = i32::try_from(micros.rem_euclid(1_000_000) * 1_000).ok()?;
    Some(Timestamp { seconds: micros.div_euclid(1_000_000), nanos })
}

/// The answer to CreateOrder.
pub(super) fn created(created: &Order) -> wire::CreateOrderResponse {
    wire::CreateOrderResponse {
        order_id: created.id().to_string(),
        status: status(created.shown_status()).into(),
        created_at: timestamp(created.created_at()),
    }
}

/// The answer to PayOrder.
pub(super) fn paid(now: &StatusNow) -> wire::PayOrderResponse {
    let StatusNow { order_id, status: at } = now;
    wire::PayOrderResponse { order_id: order_id.clone(), status: status(*at).into() }
}

/// The answer to CancelOrder.
pub(super) fn canceled(now: &StatusNow) -> wire::CancelOrderResponse {
    let StatusNow { order_id, status: at } = now;
    wire::CancelOrderResponse { order_id: order_id.clone(), status: status(*at).into() }
}

/// The answer to RefundOrder.
pub(super) fn refunded(back: &GivenBack) -> wire::RefundOrderResponse {
    wire::RefundOrderResponse {
        order_id: back.order_id.clone(),
        status: status(back.status).into(),
        refunded_amount: back.amount_minor,
    }
}

/// The answer to ShipOrder.
pub(super) fn shipped(now: &StatusNow) -> wire::ShipOrderResponse {
    let StatusNow { order_id, status: at } = now;
    wire::ShipOrderResponse { order_id: order_id.clone(), status: status(*at).into() }
}

/// The answer to CompleteOrder.
pub(super) fn completed(now: &StatusNow) -> wire::CompleteOrderResponse {
    let StatusNow { order_id, status: at } = now;
    wire::CompleteOrderResponse { order_id: order_id.clone(), status: status(*at).into() }
}

/// A refund's outcome, as the idempotency key of the call that asked for it remembers it.
#[must_use]
pub fn remembered_refund(outcome: Result<GivenBack, Refusal>) -> Answer {
    match outcome {
        Ok(back) => Answer::Ok(refunded(&back).encode_to_vec()),
        Err(refusal) => remembered(of_domain(&refusal)),
    }
}

/// The answer to GetOrder.
pub(super) fn view(view: OrderView) -> wire::GetOrderResponse {
    wire::GetOrderResponse {
        order: Some(order(&view.order)),
        timeline: view.timeline.into_iter().map(entry).collect(),
    }
}

/// What WatchOrder tells next.
pub(super) fn step(step: Step) -> wire::WatchOrderResponse {
    wire::WatchOrderResponse {
        order: step.order.as_deref().map(order),
        timeline: step.entries.into_iter().map(entry).collect(),
    }
}

/// An order of ListOrders.
pub(super) fn listed(listed: &ListedOrder) -> wire::Order {
    let ListedOrder { row, lifecycle, shown, lines, .. } = listed;
    let reason = row.reason_code.clone().zip(row.reason_message.clone());
    wire::Order {
        id: row.id.clone(),
        customer_id: row.customer_id.clone(),
        status: status(*shown).into(),
        currency: row.currency.clone(),
        amount_minor: row.total_minor,
        items: lines.iter().map(listed_item).collect(),
        version: row.version,
        created_at: from_micros(row.created_at),
        updated_at: from_micros(row.updated_at),
        captured_minor: row.captured_minor,
        refunded_minor: row.refunded_minor,
        lifecycle_status: status(*lifecycle).into(),
        status_reason: reason.map(|(code, message)| wire::StatusReason { code, message }),
        reference: row.reference.clone(),
        trace_id: row.trace_id.clone().unwrap_or_default(),
    }
}

fn listed_item(line: &LineRow) -> wire::OrderItem {
    wire::OrderItem {
        id: line.id.clone(),
        sku: line.sku.clone(),
        qty: line.qty,
        price_minor: line.price_minor,
        created_at: from_micros(line.created_at),
        name: line.name.clone(),
    }
}

fn order(order: &Order) -> wire::Order {
    let ledger = order.ledger();
    wire::Order {
        id: order.id().to_string(),
        customer_id: order.customer_id().to_owned(),
        status: status(order.shown_status()).into(),
        currency: order.currency().code().to_owned(),
        amount_minor: order.total().minor(),
        items: order.lines().iter().map(item).collect(),
        version: order.version(),
        created_at: timestamp(order.created_at()),
        updated_at: timestamp(order.updated_at()),
        captured_minor: ledger.captured.minor(),
        refunded_minor: ledger.refunded.minor(),
        lifecycle_status: status(order.status()).into(),
        status_reason: order.status_reason().map(reason),
        reference: order.reference().to_owned(),
        trace_id: order.trace_id().unwrap_or_default().to_owned(),
    }
}

fn item(line: &Line) -> wire::OrderItem {
    wire::OrderItem {
        id: line.id.to_string(),
        sku: line.sku.clone(),
        qty: line.qty,
        price_minor: line.price.minor(),
        created_at: timestamp(line.created_at),
        name: line.name.clone(),
    }
}

fn reason(reason: &StatusReason) -> wire::StatusReason {
    wire::StatusReason { code: reason.code.clone(), message: reason.message.clone() }
}

fn entry(entry: TimelineRow) -> wire::TimelineEntry {
    wire::TimelineEntry {
        event_type: entry.event_type,
        timestamp: from_micros(entry.occurred_at),
        payload: entry.payload,
        version: entry.version,
        event_id: entry.event_id.unwrap_or_default(),
        trace_id: entry.trace_id.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_keep_the_wires_numbers() {
        let numbers = Status::ALL.map(|at| i32::from(status(at)));
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn instants_keep_their_microseconds_also_before_1970() {
        let at = |micros| from_micros(micros).map(|t| (t.seconds, t.nanos));
        assert_eq!(at(1_500_000), Some((1, 500_000_000)));
        assert_eq!(at(-1), Some((-1, 999_999_000)));
    }
}
