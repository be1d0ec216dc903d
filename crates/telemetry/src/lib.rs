//! Logs and traces: initialisation, and trace context across processes.
//!
//! The subscriber is the one process global OMS has, because `tracing` knows no other way; it is
//! installed once, by the binary. Everything here also works without it: there is then no trace,
//! and the functions that ask for one answer `None`.
#![forbid(unsafe_code)]

mod init;
mod json;
mod propagation;
mod settings;
#[cfg(test)]
mod tests;

pub use init::{Guard, InitError, init};
pub use propagation::{
    current_trace_id, current_traceparent, set_parent, trace_id_of, traceparent_of,
};
pub use settings::{LogFormat, LogSettings};
