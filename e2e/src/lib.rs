//! OMS from the outside: processes, ports and wires, nothing of its insides.
//!
//! The tests in `tests/`, one story a file, run the embedded arrangement, `oms run`. The program
//! `oms-e2e` plays the [`stories`] of the services as separate processes over Apache Kafka and
//! PostgreSQL; `cargo xtask e2e` starts the servers for it.
#![forbid(unsafe_code)]
#![allow(clippy::expect_used, reason = "a story that cannot set its scene must stop")]

pub mod cluster;
pub mod customers;
mod http;
mod lengths;
mod process;
pub mod stories;
pub mod traces;

pub use http::get;
pub use lengths::Lengths;
pub use process::{OmsProcess, Ports, oms_command, program};
