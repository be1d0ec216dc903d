//! Payment's tables, and the transaction that changes them: load, decide, save, announce.

pub mod entities;
mod rows;
mod session;

pub use rows::{instant, micros, snapshots};
pub use session::{Attempt, Saved, Session};
