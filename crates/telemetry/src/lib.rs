//! Logs and traces: initialisation, and trace context across processes.
#![forbid(unsafe_code)]

/// The W3C `traceparent` of the current span, if it is part of a trace.
#[must_use]
pub fn current_traceparent() -> Option<String> {
    None
}
