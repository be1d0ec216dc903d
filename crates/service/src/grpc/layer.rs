//! What every call passes: the gate, a span in the caller's trace, a meter, the caller's deadline,
//! and a net for panics.

use std::{
    convert::Infallible,
    panic::AssertUnwindSafe,
    sync::Arc,
    task::{Context, Poll},
};

use futures::{FutureExt, future::BoxFuture};
use http::{HeaderMap, Request, Response};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status, body::Body};
use tower::{Layer, Service};
use tracing::{Instrument, Span, field};

use super::{
    api::Methods,
    body::{Answer, code_of},
    deadline,
    gate::{Admitted, Gate},
    meter::{GrpcMetrics, Meter},
    told,
};
use crate::{
    refusal::Refusal,
    tasks::{holding, panic_text},
};

/// What all calls of one server share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) owner: &'static str,
    pub(super) gate: Gate,
    pub(super) methods: Methods,
    pub(super) metrics: Arc<GrpcMetrics>,
    pub(super) intake: CancellationToken,
    pub(super) killed: CancellationToken,
}

/// Wraps a server's routes.
#[derive(Clone, Debug)]
pub(super) struct GrpcLayer(pub(super) Arc<Shared>);

impl<S> Layer<S> for GrpcLayer {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { inner, shared: self.0.clone() }
    }
}

/// Routes behind the layer.
#[derive(Clone, Debug)]
pub(super) struct Guarded<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S> Service<Request<Body>> for Guarded<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let shared = self.shared.clone();
        let path = request.uri().path();
        let (service, method, streams) = match shared.methods.get(path) {
            Some(known) => (known.service.as_str(), known.name.as_str(), known.streams),
            // Not the caller's words: they could fill the memory with labels.
            None => ("unknown", "unknown", false),
        };
        let mut meter = Meter::start(shared.metrics.clone(), service, method);
        let span = span(Some(shared.owner), service, method, request.headers());
        let ends = deadline::ends(request.headers());
        let admitted = match admit(&shared.gate, service) {
            Ok(admitted) => admitted,
            Err(refusal) => {
                meter.finish(refusal.code);
                let mut response: Response<Body> = Status::from(refusal).into_http();
                told::trace(response.headers_mut(), &span);
                return Box::pin(async { Ok(response) });
            }
        };
        let call = holding(admitted.slot(), self.inner.call(request));
        let call = AssertUnwindSafe(call).catch_unwind();
        Box::pin(async move {
            let done = tokio::select! {
                biased;
                // The connection is dead too: nobody reads this.
                () = shared.killed.cancelled() => return Ok(gone()),
                done = call.instrument(span.clone()) => done,
                () = passed(ends) => Ok(Ok(too_late())),
            };
            let response = match done {
                Ok(Ok(response)) => response,
                Ok(Err(never)) => match never {},
                Err(panic) => {
                    let _entered = span.enter();
                    tracing::error!(error = panic_text(panic.as_ref()), "a call panicked");
                    Status::from(Refusal::internal()).into_http()
                }
            };
            let admitted = if streams { shared.gate.stream(admitted) } else { admitted };
            Ok(watched(response, meter, span, shared.intake.clone(), admitted))
        })
    }
}

fn admit(gate: &Gate, service: &str) -> Result<Admitted, Refusal> {
    if service.starts_with("grpc.health.") || service.starts_with("grpc.reflection.") {
        return Ok(gate.admit_always());
    }
    gate.admit()
}

/// The server span of a call, a child of the caller's where it named one.
pub(super) fn span(
    owner: Option<&'static str>,
    service: &str,
    method: &str,
    headers: &HeaderMap,
) -> Span {
    let span = tracing::info_span!(
        "grpc",
        otel.name = field::Empty,
        otel.kind = "server",
        rpc.system = "grpc",
        rpc.service = service,
        rpc.method = method,
        rpc.grpc.status_code = field::Empty,
        oms.service = owner,
    );
    if !span.is_disabled() {
        span.record("otel.name", format!("{service}/{method}"));
        if let Some(parent) = headers.get("traceparent").and_then(|value| value.to_str().ok()) {
            oms_telemetry::set_parent(&span, parent);
        }
    }
    span
}

fn watched(
    response: Response<Body>,
    mut meter: Meter,
    span: Span,
    intake: CancellationToken,
    admitted: Admitted,
) -> Response<Body> {
    let (mut head, body) = response.into_parts();
    told::head(&mut head.headers);
    told::trace(&mut head.headers, &span);
    if let Some(code) = code_of(&head.headers) {
        meter.finish(code);
        told::ended(&span, code);
    } else if !head.status.is_success() {
        meter.finish(Code::Unknown);
    }
    Response::from_parts(head, Body::new(Answer::new(body, meter, span, intake, admitted)))
}

/// Resolves when the caller's deadline has passed; never where it named none.
async fn passed(ends: Option<Instant>) {
    match ends {
        Some(ends) => tokio::time::sleep_until(ends).await,
        None => std::future::pending().await,
    }
}

/// The caller's time is over. tonic would say CANCELLED a moment later, and not why.
fn too_late() -> Response<Body> {
    let message = "the deadline passed before there was an answer; what was begun goes on";
    Status::from(Refusal::new(Code::DeadlineExceeded, "DEADLINE_EXCEEDED", message)).into_http()
}

fn gone() -> Response<Body> {
    Status::unavailable("killed").into_http()
}
