//! W3C trace context: between spans of this process and the text that crosses processes.

use std::collections::HashMap;

use opentelemetry::{
    Context,
    propagation::TextMapPropagator,
    trace::{SpanContext, TraceContextExt},
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

const TRACEPARENT: &str = "traceparent";

/// The W3C `traceparent` of the current span, if it is part of a trace.
#[must_use]
pub fn current_traceparent() -> Option<String> {
    Context::map_current(traceparent)
}

/// The W3C `traceparent` of `span`, if it is part of a trace.
#[must_use]
pub fn traceparent_of(span: &Span) -> Option<String> {
    traceparent(&span.context())
}

fn traceparent(context: &Context) -> Option<String> {
    let valid = valid(context.span().span_context())?;
    let (trace, parent, flags) = (valid.trace_id(), valid.span_id(), valid.trace_flags());
    Some(format!("00-{trace}-{parent}-{:02x}", flags.to_u8()))
}

/// The id of the current trace, 32 hexadecimal digits.
#[must_use]
pub fn current_trace_id() -> Option<String> {
    Context::map_current(trace_id)
}

/// The id of the trace that `span` is part of, 32 hexadecimal digits.
#[must_use]
pub fn trace_id_of(span: &Span) -> Option<String> {
    trace_id(&span.context())
}

pub(crate) fn trace_id(context: &Context) -> Option<String> {
    valid(context.span().span_context()).map(|valid| valid.trace_id().to_string())
}

/// Makes `span` a child of the remote span that `traceparent` names. What is no `traceparent` is
/// ignored, as the standard asks. Must be called before the span is first entered.
pub fn set_parent(span: &Span, traceparent: &str) {
    if span.is_disabled() {
        return;
    }
    let remote = remote(traceparent);
    if remote.span().span_context().is_valid() {
        // An error means that there is no subscriber, so that there is nothing to be a parent of.
        let _ = span.set_parent(remote);
    }
}

/// What `traceparent` names, as a context; an empty one where it names nothing.
pub(crate) fn remote(traceparent: &str) -> Context {
    let carrier = HashMap::from([(TRACEPARENT.to_owned(), traceparent.to_owned())]);
    TraceContextPropagator::new().extract_with_context(&Context::new(), &carrier)
}

fn valid(context: &SpanContext) -> Option<SpanContext> {
    context.is_valid().then(|| context.clone())
}
