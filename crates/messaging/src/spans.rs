//! The spans of messaging, named and described by OpenTelemetry's conventions for it.
//!
//! A hop is `create` (the event is said, in its transaction), `send` (the relay publishes its row;
//! how long it waited is an attribute) and `process` (another service applies it, see
//! `consumer/processing.rs`), each a child of the one before. Of a trace that is not recorded only
//! `process` exists, so that logs know the trace.

use oms_telemetry::sampled_child;
use tracing::{Span, debug_span, field, info_span};

use crate::{Event, Messaging, tables::outbox};

/// What the conventions call the log.
pub(crate) const SYSTEM: &str = "kafka";

/// The service's name, as its events' source has it.
pub(crate) fn service(messaging: &Messaging) -> &str {
    messaging.source().rsplit('/').next().unwrap_or_default()
}

/// A transaction, from the wish for it to its end.
pub(crate) fn transaction(messaging: &Messaging) -> Span {
    debug_span!("transaction", oms.service = service(messaging))
}

/// An event is said, in the trace of `event`.
pub(crate) fn create(messaging: &Messaging, event: &Event) -> Span {
    sampled_child(event.traceparent.as_deref(), || {
        info_span!(
            "create",
            otel.name = format!("create {}", messaging.topic()),
            otel.kind = "producer",
            messaging.system = SYSTEM,
            messaging.operation.type = "create",
            messaging.destination.name = messaging.topic(),
            messaging.message.id = %event.id,
            oms.service = service(messaging),
            oms.order_id = event.subject,
            oms.saga_id = event.sagaid.map(field::display),
            oms.event_type = event.event_type,
        )
    })
}

/// A row of the outbox is published at `now`, in microseconds since 1970.
pub(crate) fn send(messaging: &Messaging, row: &outbox::Model, now: i64) -> Span {
    sampled_child(row.traceparent.as_deref(), || {
        info_span!(
            "send",
            otel.name = format!("send {}", row.topic),
            otel.kind = "producer",
            messaging.system = SYSTEM,
            messaging.operation.type = "send",
            messaging.destination.name = row.topic,
            messaging.message.id = row.id,
            oms.service = service(messaging),
            oms.order_id = row.stream,
            oms.event_type = row.event_type,
            oms.outbox_wait_ms = (now - row.created_at) / 1_000,
        )
    })
}
