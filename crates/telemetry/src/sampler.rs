//! Which of the traces that begin here are recorded.

use opentelemetry::{
    Context, KeyValue, TraceId,
    trace::{Link, SpanKind},
};
use opentelemetry_sdk::trace::{Sampler, SamplingResult, ShouldSample};

/// A share of them; and whatever begins with a link to a trace that is recorded, so that nobody
/// follows a link into nothing.
#[derive(Clone, Debug)]
pub(crate) struct Share(Sampler);

impl Share {
    /// So many in a hundred.
    pub(crate) fn of_percent(percent: u8) -> Self {
        Self(Sampler::TraceIdRatioBased(f64::from(percent) / 100.0))
    }
}

impl ShouldSample for Share {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let linked = links.iter().any(|link| link.span_context.is_sampled());
        let sampler = if linked { &Sampler::AlwaysOn } else { &self.0 };
        sampler.should_sample(parent, trace, name, kind, attributes, links)
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::{
        SpanId, TraceFlags,
        trace::{SpanContext, TraceState},
    };
    use opentelemetry_sdk::trace::SamplingDecision;

    use super::*;

    fn decision(percent: u8, linked: Option<TraceFlags>) -> SamplingDecision {
        let link = |flags| {
            let (trace, span) = (TraceId::from(1), SpanId::from(1));
            Link::with_context(SpanContext::new(trace, span, flags, true, TraceState::NONE))
        };
        let links: Vec<Link> = linked.map(link).into_iter().collect();
        let share = Share::of_percent(percent);
        let kind = SpanKind::Consumer;
        share.should_sample(None, TraceId::from(u128::MAX), "process", &kind, &[], &links).decision
    }

    #[test]
    fn what_is_linked_to_a_recorded_trace_is_recorded_too() {
        assert_eq!(decision(0, Some(TraceFlags::SAMPLED)), SamplingDecision::RecordAndSample);
        assert_eq!(decision(0, Some(TraceFlags::default())), SamplingDecision::Drop);
        assert_eq!(decision(0, None), SamplingDecision::Drop);
        assert_eq!(decision(100, None), SamplingDecision::RecordAndSample);
    }
}
