//! The payment service: what is due, captured and refunded, and the worker that carries it through
//! the gateway.
//!
//! Only payment says what was taken (`docs/saga.md`, section 1). `CANVAS.md` is this service on one
//! page.
#![forbid(unsafe_code)]

pub mod announce;
pub mod api;
pub mod config;
pub mod domain;
pub mod gateway;
pub mod metrics;
pub mod migration;
mod program;
pub mod queries;
pub mod reactions;
mod standing;
mod start;
pub mod store;
pub mod worker;

pub use config::{PaymentConfig, PaymentSettings};
pub use program::PaymentProgram;
pub use start::{NAME, Parts, Running, parts, start, start_on};
