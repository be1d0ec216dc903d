//! A trace collector in a test: takes spans by OTLP, as Jaeger would, and tells what it was sent.

use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex, PoisonError},
};

pub use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::{AnyValue, KeyValue, any_value::Value},
    trace::v1::{ResourceSpans, Span, status::StatusCode},
};
use tokio::runtime::{Builder, Runtime};
use tonic::{
    Request, Response, Status,
    transport::{Server, server::TcpIncoming},
};

/// A span as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenSpan {
    /// `service.name`, for example `oms-order`.
    pub service: String,
    /// Its name.
    pub name: String,
    /// What it is to others.
    pub kind: SpanKind,
    /// Its trace, in hexadecimal digits.
    pub trace: String,
    /// Its own id, in hexadecimal digits.
    pub id: String,
    /// Its parent's; empty for a root.
    pub parent: String,
    /// When it began, in nanoseconds since 1970.
    pub began: u64,
    /// When it ended.
    pub ended: u64,
    /// Attributes, as text.
    pub attributes: BTreeMap<String, String>,
    /// Traces it is linked to.
    pub links: Vec<String>,
    /// Whether it failed.
    pub failed: bool,
}

impl SeenSpan {
    /// An attribute, empty where it has none.
    #[must_use]
    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

/// As it was sent: who measures the sender does not want to measure the reading.
type Sent = Arc<Mutex<Vec<ResourceSpans>>>;

/// The collector. It has a runtime of its own, so that a test that blocks does not hold it up.
#[derive(Debug)]
pub struct Collector {
    at: SocketAddr,
    sent: Sent,
    runtime: Option<Runtime>,
}

impl Collector {
    /// A collector on a free port.
    ///
    /// # Errors
    /// When it cannot listen.
    pub fn start() -> anyhow::Result<Self> {
        Self::listen("127.0.0.1:0")
    }

    /// A collector at this address, for one that comes back.
    ///
    /// # Errors
    /// When it cannot listen.
    pub fn listen(at: impl std::net::ToSocketAddrs) -> anyhow::Result<Self> {
        let sent = Sent::default();
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let listener = TcpListener::bind(at)?;
        listener.set_nonblocking(true)?;
        let at = listener.local_addr()?;
        let service = TraceServiceServer::new(Taking(sent.clone()));
        let incoming = {
            let _inside = runtime.enter();
            TcpIncoming::from(tokio::net::TcpListener::from_std(listener)?)
        };
        runtime.spawn(Server::builder().add_service(service).serve_with_incoming(incoming));
        Ok(Self { at, sent, runtime: Some(runtime) })
    }

    /// What `traces.endpoint` has to say.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.at)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.at
    }

    /// Everything it was sent.
    #[must_use]
    pub fn spans(&self) -> Vec<SeenSpan> {
        self.read(|_| true)
    }

    /// The spans of a trace, in the order they began.
    #[must_use]
    pub fn trace(&self, trace: &str) -> Vec<SeenSpan> {
        let trace = bytes(trace);
        let mut found = self.read(|span| span.trace_id == trace);
        found.sort_by_key(|span| span.began);
        found
    }

    /// The spans of other traces that link to a trace.
    #[must_use]
    pub fn linked_to(&self, trace: &str) -> Vec<SeenSpan> {
        let trace = bytes(trace);
        self.read(|span| span.links.iter().any(|link| link.trace_id == trace))
    }

    fn read(&self, wanted: impl Fn(&Span) -> bool) -> Vec<SeenSpan> {
        let mut found = Vec::new();
        for resource in self.sent.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let of = resource.resource.as_ref().map(|of| attributes(&of.attributes));
            let service = of.and_then(|mut of| of.remove("service.name")).unwrap_or_default();
            let spans = resource.scope_spans.iter().flat_map(|scope| &scope.spans);
            found.extend(spans.filter(|span| wanted(span)).map(|span| seen(&service, span)));
        }
        found
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

struct Taking(Sent);

#[tonic::async_trait]
impl TraceService for Taking {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let taken = request.into_inner().resource_spans;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(taken);
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

fn seen(service: &str, span: &Span) -> SeenSpan {
    SeenSpan {
        service: service.to_owned(),
        kind: span.kind(),
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        began: span.start_time_unix_nano,
        ended: span.end_time_unix_nano,
        links: span.links.iter().map(|link| hex(&link.trace_id)).collect(),
        failed: span.status.as_ref().is_some_and(|status| status.code() == StatusCode::Error),
        attributes: attributes(&span.attributes),
        name: span.name.clone(),
    }
}

fn attributes(of: &[KeyValue]) -> BTreeMap<String, String> {
    of.iter().map(|KeyValue { key, value, .. }| (key.clone(), text(value.as_ref()))).collect()
}

fn text(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(is)) => is.to_string(),
        Some(Value::DoubleValue(number)) => number.to_string(),
        other => other.map(|other| format!("{other:?}")).unwrap_or_default(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What [`hex`] was made of; nothing where it was made of nothing.
fn bytes(hex: &str) -> Vec<u8> {
    u128::from_str_radix(hex, 16).map(|id| id.to_be_bytes().to_vec()).unwrap_or_default()
}
