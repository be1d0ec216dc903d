//! Apache Kafka and PostgreSQL as they are, started natively on this machine for tests.
//!
//! [`Servers`] starts both in a scratch folder on free ports, or takes those that are named; a
//! [`Jaeger`] besides, where one is wished for.
//! [`Kafka`] and [`Postgres`] can be stopped and started again by a test that wants an outage.
//! Databases and roles are made by `deploy/postgres/service.sql`, the same file that operators use.
#![forbid(unsafe_code)]

mod account;
pub mod databases;
mod gomodule;
pub mod installed;
mod jaeger;
mod jars;
mod kafka;
mod pids;
pub mod ports;
mod postgres;
mod program;
mod scratch;
mod secure;

pub use jaeger::{Jaeger, JaegerAt};
pub use kafka::Kafka;
pub use postgres::Postgres;
pub use scratch::{Named, Servers, Wish, remove};
pub use secure::Certificate;

use std::path::{Path, PathBuf};

/// A file of the repository.
fn committed(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}
