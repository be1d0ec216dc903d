//! The inventory service: stock per SKU, reservations of orders, and the ledger of both.
//!
//! Only inventory says what is held (`docs/saga.md`, section 1). It hears order over the log,
//! answers over the log, and lets operators receive and adjust stock over gRPC. `CANVAS.md` is the
//! page to begin with.
#![forbid(unsafe_code)]

pub mod announce;
pub mod api;
pub mod catalogue;
pub mod commands;
pub mod config;
pub mod domain;
pub mod expiry;
pub mod limits;
pub mod metrics;
pub mod migration;
mod program;
pub mod queries;
pub mod reactions;
mod standing;
mod start;
pub mod store;

pub use config::{InventoryConfig, InventorySettings};
pub use program::InventoryProgram;
pub use start::{NAME, Parts, Running, parts, start, start_on};
