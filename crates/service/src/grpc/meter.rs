//! Counts calls and times them, by service, method and code.

use std::{sync::Arc, time::Instant};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{
        counter::Counter,
        family::Family,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};
use tonic::Code;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Call {
    service: String,
    method: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Outcome {
    service: String,
    method: String,
    code: &'static str,
}

/// The families of all gRPC servers of the process.
#[derive(Debug)]
pub(super) struct GrpcMetrics {
    requests: Family<Outcome, Counter>,
    seconds: Family<Call, Histogram>,
}

impl GrpcMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let requests = Family::default();
        registry.register("oms_grpc_requests", "gRPC calls answered", requests.clone());
        let seconds = Family::<Call, Histogram>::new_with_constructor(|| {
            Histogram::new(exponential_buckets(0.000_5, 2.0, 16))
        });
        registry.register(
            "oms_grpc_request_duration_seconds",
            "Time from a gRPC call's arrival to the end of its answer",
            seconds.clone(),
        );
        Self { requests, seconds }
    }
}

/// One call being timed. A call whose answer was never finished counts as cancelled.
#[derive(Debug)]
pub(super) struct Meter {
    metrics: Arc<GrpcMetrics>,
    service: String,
    method: String,
    since: Instant,
    done: bool,
}

impl Meter {
    pub(super) fn start(metrics: Arc<GrpcMetrics>, service: &str, method: &str) -> Self {
        let (service, method) = (service.to_owned(), method.to_owned());
        Self { metrics, service, method, since: Instant::now(), done: false }
    }

    /// The call ended with `code`; only the first end counts.
    pub(super) fn finish(&mut self, code: Code) {
        if std::mem::replace(&mut self.done, true) {
            return;
        }
        let (service, method) = (self.service.clone(), self.method.clone());
        let call = Call { service: service.clone(), method: method.clone() };
        self.metrics.seconds.get_or_create(&call).observe(self.since.elapsed().as_secs_f64());
        let outcome = Outcome { service, method, code: code_name(code) };
        self.metrics.requests.get_or_create(&outcome).inc();
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.finish(Code::Cancelled);
    }
}

/// The code as the gRPC documents spell it.
fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
