//! Payment's tables, and the transaction that changes them: load, decide, save, announce.

pub mod entities;
mod newest;
mod rows;
mod session;

pub use newest::{Newest, newest};
pub use rows::{instant, micros, snapshots};
pub use session::{Attempt, Saved, Session};
