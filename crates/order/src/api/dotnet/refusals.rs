//! What callers of `orders.Orders` are told when something was not done: the words of its document,
//! and everything else as `oms.v1` tells it.

use oms_service::Refusal;
use tonic::Code;

use super::super::status;
use crate::{
    commands::CommandError,
    domain::{self, InvalidOrder, RunKind, Stage},
};

/// A command's error as a refusal. A failure of the store is logged here, once.
pub(super) fn of_command(error: CommandError, order_id: &str) -> Refusal {
    match error {
        CommandError::NotFound => not_found(order_id),
        CommandError::Refused(refusal) => of_domain(&refusal, order_id),
        CommandError::Invalid(invalid) => of_invalid(&invalid),
        other => status::of_command(other),
    }
}

/// Nothing has this id.
pub(super) fn not_found(order_id: &str) -> Refusal {
    let message = format!("Order with ID '{order_id}' not found");
    Refusal::new(Code::NotFound, "ORDER_NOT_FOUND", message)
}

/// What the order itself refuses.
pub(super) fn of_domain(refusal: &domain::Refusal, order_id: &str) -> Refusal {
    match refusal {
        domain::Refusal::LineNotFound(line) => {
            let message = format!("Item with ID '{line}' not found in order '{order_id}'");
            Refusal::new(Code::NotFound, refusal.code(), message)
        }
        domain::Refusal::NotEditable(status) => {
            // Pending with or without a run, it could be changed or waited for.
            let stage = Stage::of(*status, RunKind::Pay);
            let message = format!("order cannot be changed in status {stage}");
            Refusal::new(Code::FailedPrecondition, refusal.code(), message)
        }
        domain::Refusal::FixedOncePaid(field) => {
            let field = if *field == "customer_id" { "customerId" } else { field };
            let message = format!("{field} can be changed only while the order is Pending");
            Refusal::new(Code::FailedPrecondition, refusal.code(), message)
        }
        // This API's document has no RESOURCE_EXHAUSTED.
        domain::Refusal::InventoryUnavailable => {
            Refusal::new(Code::FailedPrecondition, refusal.code(), refusal.to_string())
        }
        domain::Refusal::Invalid(invalid) => of_invalid(invalid),
        other => status::of_domain(other),
    }
}

/// Validation finds these before a command does, but for what the rest of an order makes wrong.
fn of_invalid(error: &InvalidOrder) -> Refusal {
    let (field, message) = match error {
        InvalidOrder::NoCustomer => ("customerId".to_owned(), error.to_string()),
        InvalidOrder::NoLines | InvalidOrder::TooManyLines | InvalidOrder::TotalOutOfRange => {
            ("items".to_owned(), error.to_string())
        }
        InvalidOrder::NoSku(i) => of_item(*i, "productId", "is required"),
        InvalidOrder::NoQuantity(i) => of_item(*i, "quantity", "must be positive"),
        InvalidOrder::NoPrice(i) => of_item(*i, "unitPrice", "must be positive"),
        InvalidOrder::OtherCurrency(i) => {
            of_item(*i, "currency", "must be the currency of the order")
        }
    };
    Refusal::invalid_field(field, message)
}

fn of_item(index: usize, field: &str, what: &str) -> (String, String) {
    let field = format!("items[{index}].{field}");
    let message = format!("{field} {what}");
    (field, message)
}
