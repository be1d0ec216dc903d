//! What the order service counts.
//!
//! Counters are counted after the commit, once for each run however often its events come, and are
//! process counters: after a restart they begin at zero. The saga counters carry no label, so that
//! `curl … | grep oms_saga` prints them as the documents show them.

use std::sync::atomic::AtomicU64;

use chrono::TimeDelta;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};

use crate::domain::{AmendmentEnd, Compensation, Milestone, RunKind, RunOutcome, Step, StepEnd};

/// The order service's metrics. One set per process.
#[derive(Debug)]
pub struct OrderMetrics {
    /// Pay runs begun.
    pub saga_started: Counter,
    /// Pay runs that ended CONFIRMED.
    pub saga_completed: Counter,
    /// Pay runs that were rejected, declined, or took too long.
    pub saga_failed: Counter,
    /// Pay runs that a customer cancelled.
    pub saga_canceled: Counter,
    /// From the beginning of a pay run to its end, in seconds.
    pub saga_duration: Histogram,
    /// The steps of runs, in seconds, by step and outcome.
    step_duration: Family<StepLabels, Histogram>,
    /// Open pay runs; read from the database before each scrape.
    pub saga_active: Gauge,
    /// Age of the oldest open run of each kind, in seconds; read from the database, too.
    oldest_run: Family<RunLabels, Gauge<f64, AtomicU64>>,
    /// Refunds that a call asked for and that ended, by outcome.
    refunds: Family<RefundLabels, Counter>,
    /// Amendments that ended, by outcome.
    amendments: Family<AmendmentLabels, Counter>,
    /// What was given back after a cancellation, by kind.
    compensations: Family<CompensationLabels, Counter>,
    /// Cancelled orders that keep money which could not be given back.
    money_kept: Counter,
    /// Facts that no interleaving can produce.
    pub refused_transitions: Counter,
    /// Calls that were answered with what their idempotency key remembers.
    pub idempotency_replays: Counter,
    /// Calls that wait for an order now, watchers among them; counted before each scrape.
    pub waiting_calls: Gauge,
    /// Calls that watch an order now.
    pub watchers: Gauge,
    /// Reads of the database on behalf of them; those of one order share most.
    pub watch_reads: Counter,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RefundLabels {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StepLabels {
    step: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RunLabels {
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AmendmentLabels {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CompensationLabels {
    kind: &'static str,
}

impl OrderMetrics {
    /// Registers every family. The registry appends `_total` to counters and the unit to others.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            saga_started: Counter::default(),
            saga_completed: Counter::default(),
            saga_failed: Counter::default(),
            saga_canceled: Counter::default(),
            saga_duration: durations(),
            step_duration: Family::new_with_constructor(durations),
            saga_active: Gauge::default(),
            oldest_run: Family::default(),
            refunds: Family::default(),
            amendments: Family::default(),
            compensations: Family::default(),
            money_kept: Counter::default(),
            refused_transitions: Counter::default(),
            idempotency_replays: Counter::default(),
            waiting_calls: Gauge::default(),
            watchers: Gauge::default(),
            watch_reads: Counter::default(),
        };
        let counters = [
            ("oms_saga_started", "Pay runs begun", &metrics.saga_started),
            ("oms_saga_completed", "Pay runs that ended CONFIRMED", &metrics.saga_completed),
            ("oms_saga_failed", "Pay runs rejected, declined or too late", &metrics.saga_failed),
            ("oms_saga_canceled", "Pay runs a customer cancelled", &metrics.saga_canceled),
            ("oms_money_kept", "Cancelled orders that keep money", &metrics.money_kept),
            (
                "oms_refused_transitions",
                "Facts that no interleaving can produce",
                &metrics.refused_transitions,
            ),
            (
                "oms_idempotency_replays",
                "Calls answered with what their idempotency key remembers",
                &metrics.idempotency_replays,
            ),
            ("oms_watch_reads", "Reads for calls that watch an order", &metrics.watch_reads),
        ];
        for (name, help, counter) in counters {
            registry.register(name, help, counter.clone());
        }
        registry.register_with_unit(
            "oms_saga_duration",
            "From the beginning of a pay run to its end",
            Unit::Seconds,
            metrics.saga_duration.clone(),
        );
        metrics.register_runs(registry);
        let waiting = metrics.waiting_calls.clone();
        registry.register("oms_waiting_calls", "Calls that wait for an order", waiting);
        registry.register("oms_watchers", "Calls that watch an order", metrics.watchers.clone());
        registry.register(
            "oms_refunds",
            "Refunds that a call asked for and that ended",
            metrics.refunds.clone(),
        );
        registry.register(
            "oms_amendments",
            "Changes of paid orders that ended",
            metrics.amendments.clone(),
        );
        registry.register(
            "oms_compensations",
            "What was given back after a cancellation",
            metrics.compensations.clone(),
        );
        metrics.show_zeros();
        metrics
    }

    fn register_runs(&self, registry: &mut Registry) {
        registry.register_with_unit(
            "oms_saga_step_duration",
            "Steps of runs, from what begins them to the other service's word",
            Unit::Seconds,
            self.step_duration.clone(),
        );
        registry.register("oms_saga_active", "Open pay runs", self.saga_active.clone());
        registry.register_with_unit(
            "oms_run_oldest_age",
            "Age of the oldest open run; none is open at 0",
            Unit::Seconds,
            self.oldest_run.clone(),
        );
    }

    /// Takes how old the oldest open run of each kind is.
    pub(crate) fn runs_are_as_old_as(&self, ages: impl Fn(RunKind) -> TimeDelta) {
        for kind in RunKind::ALL.into_iter().filter(|kind| *kind != RunKind::Idle) {
            let gauge = self.oldest_run.get_or_create(&RunLabels { kind: kind.as_str() });
            gauge.set(ages(kind).as_seconds_f64().max(0.0));
        }
    }

    /// A labelled counter that was never counted would be absent, which alerts read as "no data".
    /// The steps' histograms come as they happen: hundreds of empty lines would hide the saga's
    /// counters from whoever reads the page.
    fn show_zeros(&self) {
        for outcome in ["succeeded", "failed"] {
            let _zero = self.refunds.get_or_create(&RefundLabels { outcome });
        }
        for end in AmendmentEnd::ALL {
            let _zero = self.amendments.get_or_create(&AmendmentLabels { outcome: end.as_str() });
        }
        self.runs_are_as_old_as(|_| TimeDelta::zero());
        for kind in ["stock", "money"] {
            let _zero = self.compensations.get_or_create(&CompensationLabels { kind });
        }
    }

    /// Counts what a committed transaction came to.
    pub fn count(&self, milestones: impl IntoIterator<Item = Milestone>) {
        for milestone in milestones {
            match milestone {
                Milestone::RunStarted => {
                    self.saga_started.inc();
                }
                Milestone::RunEnded { outcome, lasted } => self.run_ended(outcome, lasted),
                Milestone::StepEnded { step, end, lasted } => {
                    let of = StepLabels::of(step, end);
                    self.step_duration.get_or_create(&of).observe(seconds(lasted));
                }
                Milestone::RefundEnded { succeeded } => {
                    let outcome = if succeeded { "succeeded" } else { "failed" };
                    self.refunds.get_or_create(&RefundLabels { outcome }).inc();
                }
                Milestone::AmendmentEnded(end) => {
                    let outcome = end.as_str();
                    self.amendments.get_or_create(&AmendmentLabels { outcome }).inc();
                }
                Milestone::Compensated(compensation) => {
                    let kind = match compensation {
                        Compensation::Stock => "stock",
                        Compensation::Money => "money",
                    };
                    self.compensations.get_or_create(&CompensationLabels { kind }).inc();
                }
                Milestone::MoneyKept => {
                    self.money_kept.inc();
                }
            }
        }
    }

    fn run_ended(&self, outcome: RunOutcome, lasted: TimeDelta) {
        let ended = match outcome {
            RunOutcome::Completed => &self.saga_completed,
            RunOutcome::Failed => &self.saga_failed,
            RunOutcome::Canceled => &self.saga_canceled,
        };
        ended.inc();
        self.saga_duration.observe(seconds(lasted));
    }
}

impl StepLabels {
    fn of(step: Step, end: StepEnd) -> Self {
        Self { step: step.as_str(), outcome: end.as_str() }
    }
}

/// From 2 ms to a minute, by doubling.
fn durations() -> Histogram {
    Histogram::new(exponential_buckets(0.002, 2.0, 16))
}

/// A clock that was set back must not make time negative.
fn seconds(lasted: TimeDelta) -> f64 {
    lasted.as_seconds_f64().max(0.0)
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text;

    use super::*;

    #[test]
    fn saga_counters_read_as_the_documents_print_them() {
        let mut registry = Registry::default();
        let metrics = OrderMetrics::register(&mut registry);
        let ended = |outcome| Milestone::RunEnded { outcome, lasted: TimeDelta::milliseconds(5) };
        metrics.count([Milestone::RunStarted; 4]);
        metrics.count([RunOutcome::Completed, RunOutcome::Failed, RunOutcome::Canceled].map(ended));
        metrics.count([Milestone::RefundEnded { succeeded: false }]);
        let lasted = TimeDelta::milliseconds(5);
        metrics.count([Milestone::StepEnded { step: Step::Pay, end: StepEnd::Refused, lasted }]);
        metrics.runs_are_as_old_as(|kind| {
            TimeDelta::milliseconds(if kind == RunKind::Refund { 1_500 } else { -1 })
        });
        metrics.count([Milestone::AmendmentEnded(AmendmentEnd::Accepted)]);
        metrics.count([Milestone::Compensated(Compensation::Stock), Milestone::MoneyKept]);
        let mut page = String::new();
        text::encode(&mut page, &registry).unwrap();
        for line in [
            "oms_saga_started_total 4",
            "oms_saga_completed_total 1",
            "oms_saga_failed_total 1",
            "oms_saga_canceled_total 1",
            "oms_saga_duration_seconds_count 3",
            "oms_saga_active 0",
            "oms_saga_step_duration_seconds_count{step=\"pay\",outcome=\"refused\"} 1",
            "oms_run_oldest_age_seconds{kind=\"refund\"} 1.5",
            "oms_run_oldest_age_seconds{kind=\"pay\"} 0.0",
            "oms_refunds_total{outcome=\"failed\"} 1",
            "oms_refunds_total{outcome=\"succeeded\"} 0",
            "oms_amendments_total{outcome=\"accepted\"} 1",
            "oms_amendments_total{outcome=\"payment_declined\"} 0",
            "oms_compensations_total{kind=\"stock\"} 1",
            "oms_compensations_total{kind=\"money\"} 0",
            "oms_money_kept_total 1",
            "oms_refused_transitions_total 0",
            "oms_idempotency_replays_total 0",
            "oms_waiting_calls 0",
            "oms_watchers 0",
            "oms_watch_reads_total 0",
        ] {
            assert!(page.lines().any(|printed| printed == line), "{line}\n{page}");
        }
        assert!(!page.contains("step=\"reserve\""), "steps that were not are not shown\n{page}");
    }
}
