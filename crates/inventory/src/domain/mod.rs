//! Stock and reservations as pure values: no I/O, no clock, no randomness.
//!
//! [`Reservation`] is one order's hold, [`Shelf`] the stock it takes from. Every verb decides in
//! memory and leaves behind what changed; the store writes it.

mod lines;
mod movement;
mod refused;
mod reservation;
mod shelf;
mod status;

pub use lines::Lines;
pub use movement::{Movement, MovementKind};
pub use refused::{Refused, StockRefused};
pub use reservation::{Change, Fact, Reservation, Snapshot};
pub use shelf::{Counts, RejectReason, Shelf, Shortage, Shortfall, UNITS_MAX};
pub use status::Status;
