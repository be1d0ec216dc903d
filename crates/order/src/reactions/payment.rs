//! What payment says, and what the order does about it. Its totals are taken always, the effect on
//! the status is decided apart (saga rule 8).

use oms_events::payment::{Captured, Closed, Declined, RefundFailed, Refunded, Totals as Said};
use oms_messaging::{Event, Failure, Outcome};

use super::hearing::{REFUSED, hear, money};
use crate::{domain::Totals, store::Session};

/// Payment's totals, unless no payment can have them: they would stay in the order's ledger, and
/// hide every true fact with a lower sequence.
fn totals(event: &Event, said: Said) -> Result<Totals, Failure> {
    if said.refunded_minor < 0 || said.captured_minor < said.refunded_minor {
        let (captured, refunded) = (said.captured_minor, said.refunded_minor);
        let message = format!("{}: captured {captured}, refunded {refunded}", event.event_type);
        return Err(Failure::poison(REFUSED, message));
    }
    Ok(Totals {
        sequence: event.sequence_number()?,
        captured_minor: said.captured_minor,
        refunded_minor: said.refunded_minor,
    })
}

/// The money was taken: PAID and CONFIRMED in one step.
pub(super) fn on_captured(
    session: &mut Session,
    event: &Event,
    said: Captured,
) -> Result<Outcome, Failure> {
    let totals = totals(event, said.totals)?;
    hear(session, event, |order, cause| {
        order.note_captured(said.revision, money(&said.amount)?, totals, cause)
    })
}

/// The money was refused: the pay run ends in CANCELED.
pub(super) fn on_declined(
    session: &mut Session,
    event: &Event,
    said: Declined,
) -> Result<Outcome, Failure> {
    let totals = totals(event, said.totals)?;
    hear(session, event, |order, cause| {
        order.note_declined(said.revision, &said.code, &said.reason, totals, cause)
    })
}

/// Money went back: a refund run ends.
pub(super) fn on_refunded(
    session: &mut Session,
    event: &Event,
    said: Refunded,
) -> Result<Outcome, Failure> {
    let totals = totals(event, said.totals)?;
    hear(session, event, |order, cause| {
        order.note_refunded(&said.refund_id, money(&said.amount)?, totals, cause)
    })
}

/// Money did not go back: a refund run ends without effect.
pub(super) fn on_refund_failed(
    session: &mut Session,
    event: &Event,
    said: RefundFailed,
) -> Result<Outcome, Failure> {
    let totals = totals(event, said.totals)?;
    hear(session, event, |order, cause| {
        let amount = money(&said.amount)?;
        order.note_refund_failed(&said.refund_id, amount, &said.code, totals, cause)
    })
}

/// Payment is through with a cancelled order: the other word it waits for.
pub(super) fn on_closed(
    session: &mut Session,
    event: &Event,
    said: Closed,
) -> Result<Outcome, Failure> {
    let totals = totals(event, said.totals)?;
    hear(session, event, |order, cause| order.note_closed(totals, cause))
}
