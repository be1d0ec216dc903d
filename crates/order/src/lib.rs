//! The order service: owns orders, decides what becomes of them, and speaks `oms.order.*`.
//!
//! `CANVAS.md` is this service on one page; `docs/saga.md` is the contract it keeps.
#![forbid(unsafe_code)]

mod aftermath;
pub mod announce;
pub mod api;
pub mod changes;
pub mod commands;
pub mod config;
pub mod deadlines;
pub mod domain;
pub mod forgetting;
pub mod metrics;
pub mod migration;
mod program;
pub mod queries;
pub mod reactions;
mod standing;
mod start;
pub mod store;

pub use config::{OrderConfig, OrderSettings, OrdersSettings};
pub use program::OrderProgram;
pub use start::{NAME, Parts, Running, parts, start, start_on};
