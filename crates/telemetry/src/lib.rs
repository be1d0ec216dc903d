//! Logs and traces: initialisation, export, and trace context across processes.
//!
//! The subscriber is the one process global OMS has, because `tracing` knows no other way; it is
//! installed once, by the binary. Everything here also works without it: there is then no trace,
//! and the functions that ask for one answer `None`.
#![forbid(unsafe_code)]

mod export;
mod init;
mod lines;
mod propagation;
mod sampled;
mod sampler;
mod settings;
#[cfg(test)]
mod tests;
mod traces;

pub use init::{Guard, InitError, init};
pub use propagation::{
    current_trace_id, current_traceparent, set_parent, trace_id_of, traceparent_of,
};
pub use sampled::{ends_now, failed, is_sampled, is_sampled_in, link, sampled_child, trace_id_in};
pub use settings::{LogFormat, LogSettings};
pub use traces::TraceSettings;
