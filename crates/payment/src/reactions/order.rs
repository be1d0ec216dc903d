//! What payment does about what order says.

use oms_events::order::{Amended, Canceled, Confirmed, RefundRequested, Submitted};
use oms_messaging::{Event, Failure, Outcome};

use super::{cause, outcome};
use crate::{
    domain::{self, Noted, Refused},
    store::Session,
};

/// Notes what is due; it is captured once `reserved` of the same revision has come too.
pub(super) fn on_submitted(
    session: &mut Session,
    event: &Event,
    said: Submitted,
) -> Result<Outcome, Failure> {
    let cause = cause(session, event);
    let noted =
        Noted { total: said.total.amount_minor, base: 0, method: said.payment_method.clone() };
    let effect = session.change(&event.subject, |payment| {
        let currency = &said.total.currency;
        payment.note_submitted(said.revision, &said.customer_id, currency, noted, &cause)
    })?;
    Ok(outcome(effect))
}

/// Notes the difference that is to move; it does once `reserved` of the same revision has come too.
pub(super) fn on_amended(
    session: &mut Session,
    event: &Event,
    said: Amended,
) -> Result<Outcome, Failure> {
    let cause = cause(session, event);
    let (total, settled) = (said.total.amount_minor, said.settled_total.amount_minor);
    let amended = domain::Amended { total, settled, method: said.payment_method.clone() };
    let effect = session.change(&event.subject, |payment| {
        let currency = &said.total.currency;
        if said.settled_total.currency != *currency {
            let (known, said) = (currency.clone(), said.settled_total.currency.clone());
            return Err(Refused::OtherCurrency { known, said });
        }
        payment.note_amended(said.revision, currency, amended, &cause)
    })?;
    Ok(outcome(effect))
}

/// Starts nothing more for this or an earlier revision, whatever `accepted` says.
pub(super) fn on_confirmed(
    session: &mut Session,
    event: &Event,
    said: Confirmed,
) -> Result<Outcome, Failure> {
    let cause = cause(session, event);
    let effect = session.change(&event.subject, |payment| {
        let total = said.total.amount_minor;
        payment.note_confirmed(said.revision, &said.total.currency, total, &cause)
    })?;
    Ok(outcome(effect))
}

/// Closes: gives back what was taken and always answers `closed`.
pub(super) fn on_canceled(
    session: &mut Session,
    event: &Event,
    _: Canceled,
) -> Result<Outcome, Failure> {
    let cause = cause(session, event);
    let effect = session.change(&event.subject, |payment| Ok(payment.note_canceled(&cause)))?;
    Ok(outcome(effect))
}

/// Makes a refund due, up to what is left.
pub(super) fn on_refund_requested(
    session: &mut Session,
    event: &Event,
    said: RefundRequested,
) -> Result<Outcome, Failure> {
    let cause = cause(session, event);
    let effect = session.change(&event.subject, |payment| {
        let amount = said.amount.amount_minor;
        payment.note_refund_requested(&said.refund_id, &said.amount.currency, amount, &cause)
    })?;
    Ok(outcome(effect))
}
