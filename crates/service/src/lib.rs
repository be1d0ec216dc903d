//! The host of a service: everything around the domain that is not messaging.
//!
//! A [`Host`] binds early, starts late and drains; it gives its service tasks, health, metrics and
//! ports, in plaintext or with [`Tls`]. Beside it: configuration ([`config`]), the database
//! ([`Database`]), refusals ([`Refusal`]), idempotency keys ([`idempotency`]), the admin port
//! ([`Admin`]) and the whole `main` of a service binary ([`run_service`]). No process globals:
//! three services may share one.
#![forbid(unsafe_code)]

mod admin;
mod admin_api;
mod allocator;
pub mod config;
mod database;
mod error;
mod grpc;
mod health;
mod healthcheck;
mod host;
pub mod idempotency;
mod listen;
mod metrics;
mod process;
mod program;
mod refusal;
mod tasks;
#[cfg(feature = "testing")]
pub mod testing;
mod tls;
mod vitals;

pub use admin::{Admin, AdminSettings};
pub use config::{ConfigError, Validate};
pub use database::{Database, DatabaseError, DatabaseSettings, read_snapshot};
pub use error::{StartError, variable_of};
pub use grpc::{
    DEFAULT_DEADLINE, GrpcApi, GrpcSettings, MESSAGE_IN_MAX, MESSAGE_OUT_MAX, TRACE_ID, answer_by,
    deadline,
};
pub use health::{Component, Health};
pub use host::{Host, NotReady};
pub use metrics::Metrics;
pub use process::Process;
pub use program::{DRAIN_MAX, Program, run_service, stop_signal};
pub use refusal::{ERROR_DOMAIN, Refusal, VIOLATIONS_BYTES_MAX, VIOLATIONS_MAX, Violation};
pub use tasks::{Failed, Tasks};
pub use tls::{Tls, TlsSettings};
