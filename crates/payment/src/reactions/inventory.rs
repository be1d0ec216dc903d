//! What payment does about what inventory says.

use oms_events::inventory::Reserved;
use oms_messaging::{Event, Failure, Outcome};

use super::{cause, outcome};
use crate::store::Session;

/// The lines of a revision are held: its money falls due once `submitted` has come too.
pub(super) fn on_reserved(
    session: &mut Session,
    event: &Event,
    said: Reserved,
) -> Result<Outcome, Failure> {
    let cause = cause(session, event);
    let effect =
        session.change(&event.subject, |payment| payment.note_reserved(said.revision, &cause))?;
    Ok(outcome(effect))
}
