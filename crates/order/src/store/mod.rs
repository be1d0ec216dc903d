//! Orders in the database: load what a transaction concerns, save what changed of it.

mod fingerprint;
mod load;
mod rows;
mod save;
mod session;

pub mod entities;

pub use fingerprint::{Claimed, claim_fingerprint, forget_fingerprints};
pub(crate) use load::load_versioned;
pub use load::{amendment_end, load_orders, load_timeline, load_timeline_after};
pub(crate) use rows::lines_revision;
pub use session::{Changed, Session};
