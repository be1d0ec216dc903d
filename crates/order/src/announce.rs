//! The order service's mouth: fact -> event.

use oms_events::{Amount, EventData, Line as EventLine, order as said};
use oms_messaging::{Announcement, Failure};
use serde::Serialize;
use uuid::Uuid;

use crate::domain::{Fact, Line, Money, Order};

/// The event that says `fact`, in the current trace and in the fact's run.
///
/// # Errors
/// [`Failure::Unclassified`] when it cannot be written as JSON.
pub fn announcement(order: &Order, fact: Fact) -> Result<Announcement, Failure> {
    let customer_id = order.customer_id().to_owned();
    match fact {
        Fact::Created { lines: of, total } => {
            say(order, None, &said::Created { customer_id, lines: lines(&of), total: money(total) })
        }
        Fact::Submitted { saga_id, revision, lines: of, total, method, deadline } => {
            let data = said::Submitted {
                revision,
                customer_id,
                lines: lines(&of),
                total: money(total),
                payment_method: method,
                deadline,
            };
            say(order, Some(saga_id), &data)
        }
        Fact::Amended {
            saga_id,
            revision,
            lines: of,
            total,
            settled_revision,
            settled_lines,
            settled_total,
            method,
        } => {
            let data = said::Amended {
                revision,
                lines: lines(&of),
                total: money(total),
                settled_revision,
                settled_lines: lines(&settled_lines),
                settled_total: money(settled_total),
                payment_method: method,
            };
            say(order, Some(saga_id), &data)
        }
        Fact::Confirmed { saga_id, revision, lines: of, total, accepted } => {
            let data =
                said::Confirmed { revision, lines: lines(&of), total: money(total), accepted };
            say(order, saga_id, &data)
        }
        Fact::Canceled { saga_id, code, by } => {
            say(order, saga_id, &said::Canceled { reason: code, by: by.as_str().to_owned() })
        }
        Fact::RefundRequested { refund_id, amount, reason } => {
            let data = said::RefundRequested {
                refund_id: refund_id.to_string(),
                amount: money(amount),
                reason,
            };
            say(order, Some(refund_id), &data)
        }
        Fact::Refunded { refund_id, release } => {
            say(order, Some(refund_id), &said::Refunded { release })
        }
        Fact::Shipped { saga_id, revision, lines: of } => {
            say(order, saga_id, &said::Shipped { revision, lines: lines(&of) })
        }
        Fact::Completed { saga_id } => say(order, saga_id, &said::Completed {}),
    }
}

fn say<D: EventData + Serialize>(
    order: &Order,
    saga: Option<Uuid>,
    data: &D,
) -> Result<Announcement, Failure> {
    Ok(Announcement::new(order.id().to_string(), D::TYPE, data)?.in_saga(saga))
}

fn money(amount: Money) -> Amount {
    Amount { amount_minor: amount.minor(), currency: amount.currency().code().to_owned() }
}

fn lines(lines: &[Line]) -> Vec<EventLine> {
    lines
        .iter()
        .map(|line| EventLine {
            sku: line.sku.clone(),
            qty: i64::from(line.qty),
            price: money(line.price),
        })
        .collect()
}
