//! The database behind the domain: what a transaction loads, and how it is written back.
//!
//! A [`Session`] is one transaction over some orders and the SKUs they concern; commands on stock
//! alone use [`stock`] directly. Stock rows are locked in SKU order after the streams, and changed
//! by guarded conditional updates only (rule 6).

pub mod entities;
mod reservations;
mod session;
pub mod stock;

pub use reservations::read as read_reservation;
pub use session::{Policy, Session};
