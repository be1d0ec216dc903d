//! Idempotency keys: the first answer of a call, kept in the transaction of its effect.
//!
//! Guards I7 (a key names one order). A row is written before the effect, by [`claim`]; if the
//! transaction rolls back, nothing was done and nothing is remembered. A call whose answer comes
//! later ([`pend`]) leaves its row [`Claim::Running`] until [`settle`].

mod key;
mod migration;
mod store;
mod sweep;
mod table;
mod turns;

pub use key::{IdempotencyKey, REPLAYED};
pub use migration::migrations;
pub use store::{Answer, Claim, awaited, claim, look_up, pend, remember, settle};
pub use sweep::{IdempotencySettings, run_sweeper, sweep};
pub use turns::{KeyTurn, KeyTurns};
