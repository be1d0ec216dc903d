//! Payment's mouth: fact -> event. Every fact carries the running totals (rule 8).

use oms_events::{
    Amount, EventData,
    payment::{Captured, Closed, Declined, Intervened, RefundFailed, Refunded, Totals},
};
use oms_messaging::{Announcement, Failure, Intervention};
use uuid::Uuid;

use crate::domain::{Fact, Said};

/// The event that says it, on the order's stream and on the account of whatever caused it.
///
/// # Errors
/// [`Failure::Unclassified`] when the data cannot be written as JSON.
pub fn announcement(order_id: &str, currency: &str, said: &Said) -> Result<Announcement, Failure> {
    let mut announcement = event(order_id, currency, said)?;
    let origin = &said.origin;
    announcement.saga = parse(origin.saga.as_deref());
    announcement.causation = parse(origin.cause.as_deref());
    announcement.traceparent = announcement.traceparent.or_else(|| origin.traceparent.clone());
    Ok(announcement)
}

/// The event that tells of an operator who took a dead letter in hand.
///
/// # Errors
/// [`Failure::Unclassified`] when the data cannot be written as JSON.
pub fn intervened(what: &Intervention) -> Result<Announcement, Failure> {
    let data = Intervened {
        event_id: what.event_id.clone(),
        event_type: what.event_type.clone(),
        action: what.action.name().to_owned(),
        note: what.note.clone(),
    };
    say(&what.stream, &data)
}

fn parse(id: Option<&str>) -> Option<Uuid> {
    id.and_then(|id| id.parse().ok())
}

fn event(order_id: &str, currency: &str, said: &Said) -> Result<Announcement, Failure> {
    let amount = |amount_minor| Amount { amount_minor, currency: currency.to_owned() };
    let totals =
        Totals { captured_minor: said.totals.captured, refunded_minor: said.totals.refunded };
    match said.fact.clone() {
        Fact::Captured { revision, amount: taken } => {
            say(order_id, &Captured { revision, amount: amount(taken), totals })
        }
        Fact::Declined { revision, code, reason } => {
            say(order_id, &Declined { revision, code, reason, totals })
        }
        Fact::Refunded { refund_id, amount: given } => {
            say(order_id, &Refunded { refund_id, amount: amount(given), totals })
        }
        Fact::RefundFailed { refund_id, amount: asked, code } => {
            say(order_id, &RefundFailed { refund_id, amount: amount(asked), code, totals })
        }
        Fact::Closed => say(order_id, &Closed { totals }),
    }
}

fn say<D: EventData>(order_id: &str, data: &D) -> Result<Announcement, Failure> {
    Announcement::new(order_id, D::TYPE, data)
}
