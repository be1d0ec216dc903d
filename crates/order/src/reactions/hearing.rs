//! What all reactions share: find the order, note the fact, collect what the order says to it.

use oms_events::Amount;
use oms_messaging::{Event, Failure, Outcome};

use crate::{
    domain::{Cause, Currency, HeardError, Money, Noted, Order},
    store::Session,
};

/// Code of an event whose fact no interleaving can produce.
pub(super) const REFUSED: &str = "refused_transition";

/// Code of an event about an order nobody created.
pub(super) const UNKNOWN: &str = "unknown_order";

/// Notes a fact on the event's order.
pub(super) fn hear(
    session: &mut Session,
    event: &Event,
    note: impl FnOnce(&mut Order, &Cause) -> Result<Noted, HeardError>,
) -> Result<Outcome, Failure> {
    let id = event.subject.as_str();
    let cause = Cause::event(session.now(), event.id, trace_id(event));
    let order = session
        .order_mut(id)
        .ok_or_else(|| Failure::poison(UNKNOWN, format!("there is no order {id}")))?;
    let noted = note(order, &cause).map_err(|error| {
        let (kind, code) = (&event.event_type, error.code());
        let message = format!("{kind} in status {}: {code}: {error}", order.status());
        Failure::poison(REFUSED, message)
    })?;
    session.collect(id, event)?;
    match noted {
        Noted::Moved => Ok(Outcome::Moved),
        Noted::Already => Ok(Outcome::Already),
        Noted::Repeat => {
            session.repeat(id);
            Ok(Outcome::Already)
        }
    }
}

/// The amount of an event.
pub(super) fn money(amount: &Amount) -> Result<Money, HeardError> {
    let currency = Currency::parse(&amount.currency).map_err(|_| HeardError::OtherMoney)?;
    Ok(Money::new(amount.amount_minor, currency))
}

/// The trace of the action that led to the event.
pub(super) fn trace_id(event: &Event) -> Option<String> {
    let id = event.traceparent.as_deref()?.split('-').nth(1)?;
    (id.len() == 32).then(|| id.to_owned())
}
