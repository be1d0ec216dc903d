//! Why something happens to an order, for its timeline.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// When something happened, and what brought it about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The transaction's instant, in whole microseconds.
    pub at: DateTime<Utc>,
    /// The event of another service that caused it; absent when a call or the deadline did.
    pub event_id: Option<Uuid>,
    /// The trace in which it happened, 32 hexadecimal digits.
    pub trace_id: Option<String>,
}

impl Cause {
    /// A call, or this service itself.
    #[must_use]
    pub fn call(at: DateTime<Utc>, trace_id: Option<String>) -> Self {
        Self { at, event_id: None, trace_id }
    }

    /// An event of another service.
    #[must_use]
    pub fn event(at: DateTime<Utc>, event_id: Uuid, trace_id: Option<String>) -> Self {
        Self { at, event_id: Some(event_id), trace_id }
    }
}
