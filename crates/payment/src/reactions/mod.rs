//! Payment's ears: what it hears and what it does about it.

mod inventory;
mod order;
mod reactor;

pub use reactor::Reactions;

use oms_events::{EventData, inventory as said_by_inventory, order as said_by_order};
use oms_messaging::{Event, Outcome, Router};

use crate::{
    domain::{Cause, Effect, Origin},
    store::Session,
};

/// Event type -> reaction.
#[must_use]
pub fn router() -> Router<Session> {
    Router::new()
        .on(said_by_order::Submitted::TYPE, order::on_submitted)
        .on(said_by_order::Amended::TYPE, order::on_amended)
        .on(said_by_order::Confirmed::TYPE, order::on_confirmed)
        .on(said_by_order::Canceled::TYPE, order::on_canceled)
        .on(said_by_order::RefundRequested::TYPE, order::on_refund_requested)
        .on(said_by_inventory::Reserved::TYPE, inventory::on_reserved)
}

/// What moves payment when it hears `event`.
fn cause(session: &Session, event: &Event) -> Cause {
    let origin = Origin {
        saga: event.sagaid.map(|id| id.to_string()),
        cause: Some(event.id.to_string()),
        traceparent: oms_telemetry::current_traceparent().or_else(|| event.traceparent.clone()),
    };
    Cause { at: session.now(), origin }
}

fn outcome(effect: Effect) -> Outcome {
    match effect {
        Effect::Moved => Outcome::Moved,
        Effect::Already => Outcome::Already,
    }
}
