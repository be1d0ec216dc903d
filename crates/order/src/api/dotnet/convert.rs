//! From the domain's data to the wire's.

use oms_proto::orders as wire;
use oms_service::{Refusal, idempotency::Answer};
use prost::Message;

use super::{super::calls::remembered, amount::decimal, refusals, ticks};
use crate::{
    commands::{Edited, StatusNow, outcome_of_pay_run},
    domain::{self, Currency, Line, Order},
    queries::{LineRow, ListedOrder},
};

/// An order.
pub(super) fn order(order: &Order) -> wire::Order {
    let currency = order.currency();
    wire::Order {
        id: order.id().to_string(),
        customer_id: order.customer_id().to_owned(),
        items: order.lines().iter().map(item).collect(),
        currency: currency.code().to_owned(),
        status: order.stage().to_string(),
        created_at: ticks::of_micros(order.created_at().timestamp_micros()),
        updated_at: ticks::of_micros(order.updated_at().timestamp_micros()),
        total_amount: decimal(order.total().minor(), currency.exponent()),
    }
}

fn item(line: &Line) -> wire::OrderItem {
    let currency = line.price.currency();
    wire::OrderItem {
        id: line.id.to_string(),
        product_id: line.sku.clone(),
        product_name: line.name.clone(),
        quantity: line.qty,
        unit_price: decimal(line.price.minor(), currency.exponent()),
        currency: currency.code().to_owned(),
    }
}

/// An order of a page.
pub(super) fn listed(listed: &ListedOrder) -> Result<wire::Order, Refusal> {
    let ListedOrder { row, stage, lines, .. } = listed;
    let exponent = Currency::parse(&row.currency).map(Currency::exponent).map_err(|error| {
        tracing::error!(order_id = row.id, %error, "a stored order cannot be told");
        Refusal::internal()
    })?;
    let item = |line: &LineRow| wire::OrderItem {
        id: line.id.clone(),
        product_id: line.sku.clone(),
        product_name: line.name.clone(),
        quantity: line.qty,
        unit_price: decimal(line.price_minor, exponent),
        currency: row.currency.clone(),
    };
    Ok(wire::Order {
        id: row.id.clone(),
        customer_id: row.customer_id.clone(),
        items: lines.iter().map(item).collect(),
        currency: row.currency.clone(),
        status: stage.to_string(),
        created_at: ticks::of_micros(row.created_at),
        updated_at: ticks::of_micros(row.updated_at),
        total_amount: decimal(row.total_minor, exponent),
    })
}

/// The answer to CreateOrder.
pub(super) fn created(created: &Order) -> wire::CreateOrderResponse {
    wire::CreateOrderResponse { order: Some(order(created)) }
}

/// The answer to AddItemToOrder.
pub(super) fn added(edited: &Edited) -> wire::AddItemToOrderResponse {
    wire::AddItemToOrderResponse { order: Some(order(&edited.order)) }
}

/// The answer to RemoveItemFromOrder.
pub(super) fn removed(edited: &Edited) -> wire::RemoveItemFromOrderResponse {
    wire::RemoveItemFromOrderResponse { order: Some(order(&edited.order)) }
}

/// The answer to UpdateOrderItemQuantity.
pub(super) fn requantified(edited: &Edited) -> wire::UpdateOrderItemQuantityResponse {
    wire::UpdateOrderItemQuantityResponse { order: Some(order(&edited.order)) }
}

/// The answer to UpdateOrder.
pub(super) fn updated(edited: &Edited) -> wire::UpdateOrderResponse {
    wire::UpdateOrderResponse { order: Some(order(&edited.order)) }
}

/// The answer to UpdateOrderStatus: that it was done.
pub(super) fn moved(_: &StatusNow) -> wire::UpdateOrderStatusResponse {
    wire::UpdateOrderStatusResponse { success: true }
}

/// A pay run's outcome, as the idempotency key of the call that waits for it remembers it; `None`
/// while it is open.
#[must_use]
pub fn remembered_run(order: &Order) -> Option<Answer> {
    Some(match outcome_of_pay_run(order)? {
        Ok(now) => Answer::Ok(moved(&now).encode_to_vec()),
        Err(refusal) => remembered(refusals::of_domain(&refusal, &order.id().to_string())),
    })
}

/// What became of a change of items, as the idempotency key of the call that asked for it
/// remembers it. The answers to all such calls are written alike: an order, as the first field.
#[must_use]
pub fn remembered_edit(outcome: Result<Edited, domain::Refusal>) -> Answer {
    match outcome {
        Ok(edited) => Answer::Ok(updated(&edited).encode_to_vec()),
        // Of a run that began: no refusal that names the order is among them.
        Err(refusal) => remembered(refusals::of_domain(&refusal, "")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answers_to_all_changes_of_items_are_written_alike() {
        let order = wire::Order { id: "x".to_owned(), total_amount: 0.3, ..Default::default() };
        let order = || Some(order.clone());
        let answers = [
            wire::AddItemToOrderResponse { order: order() }.encode_to_vec(),
            wire::RemoveItemFromOrderResponse { order: order() }.encode_to_vec(),
            wire::UpdateOrderItemQuantityResponse { order: order() }.encode_to_vec(),
            wire::UpdateOrderResponse { order: order() }.encode_to_vec(),
        ];
        assert!(answers.iter().all(|answer| *answer == answers[0]));
    }
}
