//! The span of an event that is applied: a child of the `send` that brought it, or, where a setting
//! says so, the root of a trace of its own that links to it.

use oms_telemetry::{ends_now, failed, is_sampled_in, link, set_parent, traceparent_of};
use tracing::{Span, debug_span, field, info_span};

use super::incoming::Incoming;
use crate::{
    ConsumeTrace, Event, Failure, Messaging,
    spans::{SYSTEM, service},
};

/// An event is applied, with all that its transaction does: it ends when it is dropped.
#[derive(Debug)]
pub(super) struct Processing(Span);

impl Drop for Processing {
    fn drop(&mut self) {
        ends_now(&self.0);
    }
}

impl Processing {
    /// `event`, which came in `record`.
    pub(super) fn of(messaging: &Messaging, record: &Incoming, event: &Event) -> Self {
        let parent = record.traceparent();
        let span = if parent.is_none_or(is_sampled_in) {
            let at = &record.delivery.partition;
            info_span!(
                "process",
                otel.name = format!("process {}", at.topic),
                otel.kind = "consumer",
                messaging.system = SYSTEM,
                messaging.operation.type = "process",
                messaging.destination.name = at.topic,
                messaging.destination.partition.id = at.number,
                messaging.kafka.offset = record.delivery.offset,
                messaging.message.id = %event.id,
                oms.service = service(messaging),
                oms.order_id = event.subject,
                oms.saga_id = event.sagaid.map(field::display),
                oms.event_type = event.event_type,
                oms.outcome = field::Empty,
            )
        } else {
            info_span!("process", oms.order_id = event.subject)
        };
        if let Some(parent) = parent {
            match messaging.settings().consume_trace {
                ConsumeTrace::Link if is_sampled_in(parent) => link(&span, parent),
                _ => set_parent(&span, parent),
            }
        }
        Self(span)
    }

    /// Runs the reaction to `event` in it.
    pub(super) fn react<T>(
        &self,
        messaging: &Messaging,
        event: &Event,
        react: impl FnOnce() -> T,
    ) -> T {
        self.0.in_scope(|| {
            let span = debug_span!(
                "react",
                otel.name = format!("react {}", event.event_type),
                oms.service = service(messaging),
            );
            span.in_scope(react)
        })
    }

    /// The span, for what else belongs to it.
    pub(super) fn span(&self) -> &Span {
        &self.0
    }

    /// What became of the event.
    pub(super) fn came_to(&self, outcome: &'static str) {
        self.0.record("oms.outcome", outcome);
    }

    /// Its transaction was rolled back.
    pub(super) fn undone(&self, failure: Option<&Failure>) {
        self.came_to("undone");
        failed(&self.0, failure.map_or_else(|| "rolled back".to_owned(), ToString::to_string));
    }

    /// Links a transaction, which is the first event's, to another event it also applies.
    pub(super) fn shares(&self, transaction: &Span) {
        if transaction.is_disabled() {
            return;
        }
        if let Some(own) = traceparent_of(&self.0) {
            link(transaction, &own);
        }
    }
}
