//! Wakes the calls that wait for an order.
//!
//! A change made by this instance is told at once, after its commit. Changes made by other
//! instances are found by one batched look at the versions of the orders somebody waits for, every
//! `changes_poll_ms`, and only while somebody waits. Nothing is kept for an order nobody waits for,
//! and at most `waiting_orders_max` orders are waited for at a time.
//!
//! A wake-up says only that the order may have changed: the waiter looks again. Each has a number
//! of one count, so that waiters can share a look: one whose own number is not lower answers it.
//! What was told is such a look, and costs none.

mod latest;
mod registry;

pub(crate) use latest::{ENTRIES_MAX, Latest};
pub use registry::{Changes, TooManyWaiting, Waiter};
