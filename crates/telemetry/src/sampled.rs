//! Spans that exist only where a trace is recorded: whoever is not looked at pays nothing.

use opentelemetry::{
    Context,
    trace::{Status, TraceContextExt},
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::propagation::{remote, set_parent};

/// Whether the current trace is recorded.
#[must_use]
pub fn is_sampled() -> bool {
    Context::map_current(|context| context.span().span_context().is_sampled())
}

/// Whether the trace that `traceparent` names is recorded.
#[must_use]
pub fn is_sampled_in(traceparent: &str) -> bool {
    traceparent
        .rsplit('-')
        .next()
        .and_then(|flags| u8::from_str_radix(flags, 16).ok())
        .is_some_and(|flags| flags & 1 == 1)
}

/// The id of the trace that `traceparent` names.
#[must_use]
pub fn trace_id_in(traceparent: &str) -> Option<&str> {
    let id = traceparent.split('-').nth(1)?;
    let is_one = id.len() == 32 && id.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_one.then_some(id)
}

/// The span that `make` gives, as a child of what `traceparent` names; none where that trace is not
/// recorded.
pub fn sampled_child(traceparent: Option<&str>, make: impl FnOnce() -> Span) -> Span {
    match traceparent {
        Some(parent) if is_sampled_in(parent) => {
            let span = make();
            set_parent(&span, parent);
            span
        }
        _ => Span::none(),
    }
}

/// Links `span` to what `traceparent` names: another trace that belongs to the same matter.
pub fn link(span: &Span, traceparent: &str) {
    let other = remote(traceparent).span().span_context().clone();
    if other.is_valid() {
        span.add_link(other);
    }
}

/// Marks `span` as failed.
pub fn failed(span: &Span, why: impl Into<String>) {
    if !span.is_disabled() {
        span.set_status(Status::error(why.into()));
    }
}

/// Lets `span` end now. One that was entered would end when it was last left, even if something of
/// it went on.
pub fn ends_now(span: &Span) {
    span.in_scope(|| ());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_names_its_trace() {
        let id = "0af7651916cd43dd8448eb211c80319c";
        assert_eq!(trace_id_in(&format!("00-{id}-b7ad6b7169203331-01")), Some(id));
        assert_eq!(trace_id_in("00-short-b7ad6b7169203331-01"), None);
        assert_eq!(trace_id_in(""), None);
    }

    #[test]
    fn the_flag_of_a_traceparent_decides() {
        let with = |flags: &str| {
            is_sampled_in(&format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{flags}"))
        };
        assert!(with("01") && with("03"));
        assert!(!with("00") && !with("02") && !with("zz"));
        assert!(!is_sampled_in("") && !is_sampled_in("00"));
    }
}
