//! The order service: owns orders, decides what becomes of them, and speaks `oms.order.*`.
//!
//! `CANVAS.md` is this service on one page; `docs/saga.md` is the contract it keeps.
#![forbid(unsafe_code)]

pub mod announce;
pub mod domain;
pub mod migration;
pub mod reactions;
pub mod store;
