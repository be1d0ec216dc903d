//! Customers: each orders, pays, and sometimes cancels or wants money back, with keys of their own.

mod call;
mod load;
mod shopping;

pub use load::{Load, Pace, Served};
pub use shopping::Intent;
