//! What payment decides, free of I/O: what falls due, what may be given back, when an order's money
//! has come to rest.

mod errors;
mod fact;
mod keys;
mod movement;
mod payment;
mod snapshot;

#[cfg(test)]
mod tests;

pub use errors::Refused;
pub use fact::{Cause, Effect, Fact, Origin, Said, Totals};
pub use keys::{amend_refund_id, amended_revision, cancel_refund_id, capture_key, refund_key};
pub use movement::{Amended, Capture, Noted, Outcome, Progress, Refund, State};
pub use payment::{NOTHING_LEFT, Payment};
pub use snapshot::Snapshot;
