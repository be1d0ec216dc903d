//! What operators did about dead letters of the other services: a line on the timeline.

use oms_events::{inventory, payment};
use oms_messaging::{Event, Failure, Outcome};

use super::hearing::trace_id;
use crate::{
    domain::{Cause, Intervention},
    store::Session,
};

/// Inventory's word of an operator.
pub(super) fn on_inventory(
    session: &mut Session,
    event: &Event,
    said: inventory::Intervened,
) -> Result<Outcome, Failure> {
    let inventory::Intervened { event_id, event_type, action, note } = said;
    let discarded = discarded(&action)?;
    let service = "inventory";
    let what = Intervention { service, event_id, event_type, discarded, note };
    Ok(keep(session, event, &what))
}

/// Payment's word of an operator.
pub(super) fn on_payment(
    session: &mut Session,
    event: &Event,
    said: payment::Intervened,
) -> Result<Outcome, Failure> {
    let payment::Intervened { event_id, event_type, action, note } = said;
    let discarded = discarded(&action)?;
    let service = "payment";
    let what = Intervention { service, event_id, event_type, discarded, note };
    Ok(keep(session, event, &what))
}

fn discarded(action: &str) -> Result<bool, Failure> {
    match action {
        "discarded" => Ok(true),
        "redriven" => Ok(false),
        other => Err(Failure::poison("malformed_data", format!("action {other}"))),
    }
}

/// Once, however often it comes. A letter may be about an order that nobody knows: then there is
/// nothing to write on.
fn keep(session: &mut Session, event: &Event, what: &Intervention) -> Outcome {
    let id = event.subject.as_str();
    if session.order(id).is_none() || session.was_noted(event.id) {
        return Outcome::Already;
    }
    let cause = Cause::event(session.now(), event.id, trace_id(event));
    if let Some(order) = session.order_mut(id) {
        order.note_intervention(what, &cause);
    }
    Outcome::Moved
}
