//! Spans on their way out: in batches, on threads of their own, by OTLP over gRPC.
//!
//! Nothing waits for an export. Spans go into a bounded queue, from which a thread takes them; what
//! finds the queue full is dropped, and so is a batch that the collector does not take.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use opentelemetry::{KeyValue, Value};
use opentelemetry_otlp::{RetryPolicy, SpanExporter as Otlp, WithExportConfig, WithTonicConfig};
use opentelemetry_sdk::{
    Resource,
    error::{OTelSdkError, OTelSdkResult},
    trace::{
        BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider, SpanData, SpanExporter,
    },
};
use tokio::runtime::{Builder, Handle, Runtime};

use crate::{init::InitError, sampler::Share, traces::TraceSettings};

/// The attribute that names the service whose span it is.
const SERVICE: &str = "oms.service";

/// What exports, and the runtime it does it on, apart from that of the services.
#[derive(Debug)]
pub(crate) struct Exporting {
    pub(crate) provider: SdkTracerProvider,
    pub(crate) runtime: Option<Runtime>,
}

/// Makes spans of `services` go where the settings say. Without an endpoint none is recorded unless
/// a caller decided so, and then only for the flag that is passed on.
pub(crate) fn exporting(
    settings: &TraceSettings,
    services: &[&'static str],
) -> Result<Exporting, InitError> {
    if !settings.exports() {
        let sampler = Sampler::ParentBased(Box::new(Sampler::AlwaysOff));
        let provider = SdkTracerProvider::builder().with_sampler(sampler).build();
        return Ok(Exporting { provider, runtime: None });
    }
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("oms-traces")
        .enable_all()
        .build()
        .map_err(InitError::Runtime)?;
    let outlet = Outlet::new(settings, services, runtime.handle())?;
    let batches = BatchConfigBuilder::default()
        .with_max_queue_size(settings.queue_spans_max)
        .with_max_export_batch_size(settings.batch_spans_max)
        .with_scheduled_delay(Duration::from_millis(settings.export_delay_ms))
        .build();
    let share = Share::of_percent(settings.sample_percent);
    let provider = SdkTracerProvider::builder()
        .with_sampler(Sampler::ParentBased(Box::new(share)))
        .with_span_processor(BatchSpanProcessor::builder(outlet).with_batch_config(batches).build())
        .build();
    Ok(Exporting { provider, runtime: Some(runtime) })
}

/// Exports to one collector, each service's spans as that service's.
#[derive(Debug)]
struct Outlet {
    exporters: Arc<[(&'static str, Otlp)]>,
    runtime: Handle,
    endpoint: String,
    limit: Duration,
    /// Spans lost since the collector was last heard of; 0 while it takes them.
    lost: Arc<AtomicU64>,
}

impl Outlet {
    fn new(
        settings: &TraceSettings,
        services: &[&'static str],
        runtime: &Handle,
    ) -> Result<Self, InitError> {
        let limit = Duration::from_millis(settings.export_timeout_ms);
        let endpoint = settings.collector().map_err(InitError::Exporter)?;
        let channel = {
            let _inside = runtime.enter();
            endpoint.connect_timeout(limit).connect_lazy()
        };
        let exporter = |service: &&'static str| {
            let mut exporter = Otlp::builder()
                .with_tonic()
                .with_channel(channel.clone())
                .with_timeout(limit)
                .with_retry_policy(RetryPolicy::disabled())
                .build()
                .map_err(|error| InitError::Exporter(error.to_string()))?;
            exporter.set_resource(&resource(service));
            Ok((*service, exporter))
        };
        let exporters: Result<Vec<_>, InitError> = services.iter().map(exporter).collect();
        Ok(Self {
            exporters: exporters?.into(),
            runtime: runtime.clone(),
            endpoint: settings.endpoint.clone(),
            limit,
            lost: Arc::default(),
        })
    }

    /// Tells once that the collector is away, and once that it is back.
    fn tell(&self, result: &OTelSdkResult, spans: u64) {
        let endpoint = &self.endpoint;
        match result {
            Ok(()) => {
                let lost = self.lost.swap(0, Ordering::Relaxed);
                if lost > 0 {
                    tracing::info!(endpoint, lost, "the trace collector takes spans again");
                }
            }
            Err(error) => {
                if self.lost.fetch_add(spans, Ordering::Relaxed) == 0 {
                    tracing::warn!(
                        endpoint,
                        %error,
                        "the trace collector takes no spans; they are lost until it does"
                    );
                }
            }
        }
    }
}

impl SpanExporter for Outlet {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let (spans, exporters, limit) = (batch.len() as u64, self.exporters.clone(), self.limit);
        // The caller is a bare thread; connections live on the runtime.
        let sent = self.runtime.spawn(async move {
            tokio::time::timeout(limit, send(&exporters, batch))
                .await
                .unwrap_or(Err(OTelSdkError::Timeout(limit)))
        });
        let result = sent.await.unwrap_or_else(|error| {
            Err(OTelSdkError::InternalFailure(format!("the export ended early: {error}")))
        });
        self.tell(&result, spans);
        result
    }
}

/// Each span by the exporter of its service; one that names none by the first.
async fn send(exporters: &[(&'static str, Otlp)], mut batch: Vec<SpanData>) -> OTelSdkResult {
    let mut result = Ok(());
    for (service, exporter) in exporters.iter().skip(1) {
        let own: Vec<SpanData> = batch.extract_if(.., |span| is_of(span, service)).collect();
        if !own.is_empty() {
            result = result.and(exporter.export(own).await);
        }
    }
    match exporters.first() {
        Some((_, exporter)) if !batch.is_empty() => result.and(exporter.export(batch).await),
        _ => result,
    }
}

fn is_of(span: &SpanData, service: &str) -> bool {
    let mut attributes = span.attributes.iter();
    let named = attributes.find(|attribute| attribute.key.as_str() == SERVICE);
    matches!(named.map(|named| &named.value), Some(Value::String(name)) if name.as_str() == service)
}

/// What a collector shows a service by.
fn resource(service: &str) -> Resource {
    let named = KeyValue::new("service.name", format!("oms-{service}"));
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    Resource::builder_empty()
        .with_attributes([named, version, KeyValue::new("service.namespace", "oms")])
        .build()
}
