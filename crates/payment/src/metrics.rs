//! Payment's metrics. Registered once per process; `_total` is appended by the page.

use std::time::Duration;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use crate::domain::{Fact, Said};

/// Upper bounds of call latencies, in seconds.
const BUCKETS: [f64; 12] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Call {
    service: &'static str,
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    service: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    service: &'static str,
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Of {
    service: &'static str,
}

const SERVICE: &str = "payment";
const OF: Of = Of { service: SERVICE };

/// Payment's metrics. Cheap to clone.
#[derive(Clone, Debug)]
pub struct PaymentMetrics {
    calls: Family<Call, Counter>,
    durations: Family<Kind, Histogram>,
    in_flight: Family<Of, Gauge>,
    captures: Family<Outcome, Counter>,
    refunds: Family<Outcome, Counter>,
    closed: Family<Of, Counter>,
    kept: Family<Of, Counter>,
}

impl PaymentMetrics {
    /// Registers the families; once per process.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            calls: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            in_flight: Family::default(),
            captures: Family::default(),
            refunds: Family::default(),
            closed: Family::default(),
            kept: Family::default(),
        };
        let m = &metrics;
        registry.register(
            "oms_gateway_calls",
            "Calls to the gateway; an unknown outcome is asked again",
            m.calls.clone(),
        );
        registry.register(
            "oms_gateway_call_duration_seconds",
            "How long calls to the gateway took",
            m.durations.clone(),
        );
        registry.register(
            "oms_gateway_calls_in_flight",
            "Calls to the gateway that have not returned",
            m.in_flight.clone(),
        );
        registry.register("oms_payment_captures", "Captures by their outcome", m.captures.clone());
        registry.register("oms_payment_refunds", "Refunds by their outcome", m.refunds.clone());
        registry.register("oms_payment_closed", "Cancelled orders closed", m.closed.clone());
        registry.register(
            "oms_payment_kept",
            "Cancelled orders closed although their money could not be given back",
            m.kept.clone(),
        );
        m.in_flight.get_or_create(&OF).set(0);
        drop((m.closed.get_or_create(&OF), m.kept.get_or_create(&OF)));
        for outcome in ["succeeded", "failed"] {
            let outcome = Outcome { service: SERVICE, outcome };
            drop(m.captures.get_or_create(&outcome));
            drop(m.refunds.get_or_create(&outcome));
        }
        metrics
    }

    /// Counts something that was said, after its commit, and raises the alarm about money that a
    /// cancelled order did not get back (rule 7).
    pub(crate) fn note(&self, order_id: &str, said: &Said) {
        let outcome = |outcome| Outcome { service: SERVICE, outcome };
        let (family, outcome) = match said.fact {
            Fact::Captured { .. } => (&self.captures, outcome("succeeded")),
            Fact::Declined { .. } => (&self.captures, outcome("failed")),
            Fact::Refunded { .. } => (&self.refunds, outcome("succeeded")),
            Fact::RefundFailed { .. } => (&self.refunds, outcome("failed")),
            Fact::Closed => return self.note_closed(order_id, said.totals.kept()),
        };
        family.get_or_create(&outcome).inc();
    }

    fn note_closed(&self, order_id: &str, kept: i64) {
        self.closed.get_or_create(&OF).inc();
        if kept > 0 {
            self.kept.get_or_create(&OF).inc();
            tracing::error!(order_id, kept_minor = kept, "a cancelled order keeps its money");
        }
    }

    /// Cancelled orders that were closed with money left.
    #[must_use]
    pub fn kept(&self) -> u64 {
        self.kept.get_or_create(&OF).get()
    }

    pub(crate) fn called(&self, kind: &'static str, outcome: &'static str, took: Duration) {
        self.calls.get_or_create(&Call { service: SERVICE, kind, outcome }).inc();
        let duration = self.durations.get_or_create(&Kind { service: SERVICE, kind });
        duration.observe(took.as_secs_f64());
    }

    pub(crate) fn in_flight(&self, calls: usize) {
        self.in_flight.get_or_create(&OF).set(i64::try_from(calls).unwrap_or(i64::MAX));
    }
}
