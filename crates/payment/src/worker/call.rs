//! One call to the gateway.

use std::{sync::Arc, time::Duration};

use oms_seams::Faults;
use tokio::time::{Instant, timeout};
use tracing::{Instrument, Span, field};

use super::due::{Due, Order};
use crate::{
    gateway::{Gateway, Unknown, Verdict},
    metrics::PaymentMetrics,
    start::NAME,
};

/// What calls need.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub gateway: Arc<dyn Gateway>,
    pub faults: Faults,
    pub metrics: Arc<PaymentMetrics>,
    pub timeout: Duration,
}

/// A movement with what the gateway said about it.
#[derive(Clone, Debug)]
pub(super) struct Answered {
    pub due: Due,
    pub result: Result<Verdict, Unknown>,
    /// How often recording it has failed.
    pub failures: u32,
    /// The trace context of the call.
    pub traceparent: Option<String>,
}

impl Answered {
    /// The span of recording it, after the call's.
    pub(super) fn recording(&self) -> Span {
        oms_telemetry::sampled_child(self.traceparent.as_deref(), || {
            tracing::info_span!(
                "record",
                otel.name = format!("record {}", self.due.kind()),
                oms.service = NAME,
                oms.order_id = self.due.order_id,
                oms.outcome = self.outcome(),
            )
        })
    }

    pub(super) fn outcome(&self) -> &'static str {
        match &self.result {
            Ok(Verdict::Approved) => "approved",
            Ok(Verdict::Declined { .. }) => "declined",
            Err(Unknown(_)) => "unknown",
        }
    }
}

impl Caller {
    /// Asks the gateway and waits for its answer, as part of the trace that made the movement due.
    pub(super) async fn call(self, due: Due) -> Answered {
        let span = tracing::info_span!(
            "gateway",
            otel.name = due.span_name(),
            otel.kind = "client",
            kind = due.kind(),
            oms.service = NAME,
            oms.order_id = due.order_id,
            oms.attempt = due.attempts + 1,
            oms.outcome = field::Empty,
        );
        if let Some(traceparent) = &due.traceparent {
            oms_telemetry::set_parent(&span, traceparent);
        }
        let mut answered = self.ask(due).instrument(span.clone()).await;
        span.record("oms.outcome", answered.outcome());
        if let Err(unknown) = &answered.result {
            oms_telemetry::failed(&span, unknown.to_string());
        }
        answered.traceparent = oms_telemetry::traceparent_of(&span);
        answered
    }

    async fn ask(self, due: Due) -> Answered {
        self.faults.hit("gateway.before_call").await;
        let began = Instant::now();
        let answer = async {
            match due.order() {
                Order::Capture(order) => self.gateway.capture(order).await,
                Order::Refund(order) => self.gateway.refund(order).await,
            }
        };
        let result = timeout(self.timeout, answer)
            .await
            .unwrap_or_else(|_| Err(Unknown(format!("no answer in {:?}", self.timeout))));
        self.faults.hit("gateway.after_call").await;
        let answered = Answered { due, result, failures: 0, traceparent: None };
        let kind = answered.due.kind();
        self.metrics.called(kind, answered.outcome(), began.elapsed());
        if let Err(unknown) = &answered.result {
            let (order_id, attempts) = (&answered.due.order_id, answered.due.attempts + 1);
            tracing::warn!(order_id, kind, attempts, %unknown, "asked again with the same key");
        }
        answered
    }
}
