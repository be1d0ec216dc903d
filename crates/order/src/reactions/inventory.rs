//! What inventory says, and what the order does about it.

use oms_events::inventory::{Dispatched, Rejected, Released, ReservationExpired, Reserved};
use oms_messaging::{Event, Failure, Outcome};

use super::hearing::hear;
use crate::store::Session;

/// The lines are held: RESERVED.
pub(super) fn on_reserved(
    session: &mut Session,
    event: &Event,
    said: Reserved,
) -> Result<Outcome, Failure> {
    hear(session, event, |order, cause| order.note_reserved(said.revision, cause))
}

/// The lines cannot be held: the pay run ends in CANCELED.
pub(super) fn on_rejected(
    session: &mut Session,
    event: &Event,
    said: Rejected,
) -> Result<Outcome, Failure> {
    let mut detail = said.reason;
    for short in &said.shortages {
        let missing =
            format!("; {}: {} asked, {} available", short.sku, short.asked, short.available);
        detail.push_str(&missing);
    }
    hear(session, event, |order, cause| order.note_rejected(said.revision, &detail, cause))
}

/// The hold is gone: one of the two words a cancelled order waits for.
pub(super) fn on_released(
    session: &mut Session,
    event: &Event,
    _: Released,
) -> Result<Outcome, Failure> {
    hear(session, event, |order, cause| order.note_released(cause))
}

/// The hold has waited too long: an open pay run ends, else the order repeats what it said.
pub(super) fn on_reservation_expired(
    session: &mut Session,
    event: &Event,
    said: ReservationExpired,
) -> Result<Outcome, Failure> {
    hear(session, event, |order, cause| order.note_reservation_expired(said.revision, cause))
}

/// The shipment is booked out: the word a shipped order waits for.
pub(super) fn on_dispatched(
    session: &mut Session,
    event: &Event,
    _: Dispatched,
) -> Result<Outcome, Failure> {
    hear(session, event, |order, cause| order.note_dispatched(cause))
}
