//! What inventory does about what order says.

use oms_events::{Line, order};
use oms_messaging::{Event, Failure, Outcome};

use crate::{
    domain::{Lines, Refused},
    store::Session,
};

/// Holds every line or none, and answers either way.
pub(super) fn on_submitted(
    session: &mut Session,
    event: &Event,
    said: order::Submitted,
) -> Result<Outcome, Failure> {
    let until = session.hold_until();
    session.decide(&event.subject, Some(event), |reservation, shelf| {
        let lines = sum(said.lines)?;
        reservation.note_submitted(said.revision, &lines, until, shelf)
    })
}

/// Holds what the lines in force and those wished for need, or nothing more, and answers either
/// way.
pub(super) fn on_amended(
    session: &mut Session,
    event: &Event,
    said: order::Amended,
) -> Result<Outcome, Failure> {
    let until = session.hold_until();
    session.decide(&event.subject, Some(event), |reservation, shelf| {
        let (settled, desired) = (sum(said.settled_lines)?, sum(said.lines)?);
        reservation.note_amended(said.revision, &settled, &desired, until, shelf)
    })
}

/// Trims the hold to the lines in force and commits it. Whether the run was accepted makes no
/// difference: a refused one names the lines settled before.
pub(super) fn on_confirmed(
    session: &mut Session,
    event: &Event,
    said: order::Confirmed,
) -> Result<Outcome, Failure> {
    session.decide(&event.subject, Some(event), |reservation, shelf| {
        let lines = sum(said.lines)?;
        reservation.note_confirmed(said.revision, &lines, shelf)
    })
}

/// Gives everything back, or fences an order never heard of, and answers `released`.
pub(super) fn on_canceled(
    session: &mut Session,
    event: &Event,
    _said: order::Canceled,
) -> Result<Outcome, Failure> {
    session
        .decide(&event.subject, Some(event), |reservation, shelf| reservation.note_canceled(shelf))
}

/// Gives everything back if order says so. Inventory never infers it.
pub(super) fn on_refunded(
    session: &mut Session,
    event: &Event,
    said: order::Refunded,
) -> Result<Outcome, Failure> {
    if !said.release {
        return Ok(Outcome::Already);
    }
    session
        .decide(&event.subject, Some(event), |reservation, shelf| reservation.note_refunded(shelf))
}

/// Books the lines that leave out, once, and answers `dispatched`, whether the confirmation was
/// heard before or not.
pub(super) fn on_shipped(
    session: &mut Session,
    event: &Event,
    said: order::Shipped,
) -> Result<Outcome, Failure> {
    session.decide(&event.subject, Some(event), |reservation, shelf| {
        let lines = sum(said.lines)?;
        reservation.note_shipped(said.revision, &lines, shelf)
    })
}

fn sum(lines: Vec<Line>) -> Result<Lines, Refused> {
    Lines::sum(lines.into_iter().map(|line| (line.sku, line.qty)))
}
