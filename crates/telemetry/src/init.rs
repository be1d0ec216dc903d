//! Installs the subscriber: filtered log lines, and spans with real trace ids.

use std::{
    io::{self, IsTerminal},
    sync::{Arc, OnceLock},
    time::Duration,
};

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{
    Dispatch, Level, Metadata, Subscriber, dispatcher::WeakDispatch, level_filters::LevelFilter,
    subscriber::Interest,
};
use tracing_subscriber::{
    Layer, Registry,
    filter::{DynFilterFn, FilterExt, Targets, filter_fn},
    fmt::{self, MakeWriter, format::JsonFields},
    layer::{Context, Filter, Layered, SubscriberExt},
    registry::LookupSpan,
    util::SubscriberInitExt,
};

use crate::{
    export::{Exporting, exporting},
    lines::{Lines, Look},
    sampled::is_sampled,
    settings::{LogFormat, LogSettings},
    traces::TraceSettings,
};

/// How long the last spans may take on their way out.
const FLUSH_MAX: Duration = Duration::from_secs(2);

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InitError {
    /// The level is no filter.
    #[error("log.level: {0}")]
    Level(#[from] tracing_subscriber::filter::ParseError),
    /// The process has a subscriber already.
    #[error("logging is already set up: {0}")]
    Installed(#[from] tracing_subscriber::util::TryInitError),
    /// Spans cannot be exported so.
    #[error("traces.endpoint: {0}")]
    Exporter(String),
    /// No thread for the export of spans.
    #[error("traces: {0}")]
    Runtime(#[source] io::Error),
}

/// Keeps tracing alive; dropping it exports the spans that wait, in a bounded time. What is open
/// then is lost.
#[derive(Debug)]
#[must_use = "tracing ends when the guard is dropped"]
pub struct Guard(Exporting);

impl Guard {
    /// Exports the spans that have ended and waits for it, in a bounded time. For tests, which ask
    /// the collector next.
    pub fn flush(&self) {
        if let Err(error) = self.0.provider.force_flush() {
            tracing::debug!(%error, "spans were not exported");
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Err(error) = self.0.provider.shutdown_with_timeout(FLUSH_MAX) {
            tracing::debug!(%error, "the tracer did not shut down cleanly");
        }
        if let Some(runtime) = self.0.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Sets up logs and traces of this process, in which `services` run. Called once, by the binary.
///
/// # Errors
/// When the level is no filter, spans cannot be exported as the settings say, or the process has a
/// subscriber already.
pub fn init(
    settings: &LogSettings,
    traces: &TraceSettings,
    services: &[&'static str],
) -> Result<Guard, InitError> {
    let terminal = io::stderr().is_terminal();
    let exporting = exporting(traces, services)?;
    let detail = traces.exports();
    subscriber(settings, terminal, &exporting.provider, detail, io::stderr)?.try_init()?;
    Ok(Guard(exporting))
}

/// The subscriber itself; tests give it another writer.
pub(crate) fn subscriber<W>(
    settings: &LogSettings,
    terminal: bool,
    provider: &SdkTracerProvider,
    detail: bool,
    writer: W,
) -> Result<impl Subscriber + for<'a> LookupSpan<'a> + Send + Sync + 'static, InitError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let json = match settings.format {
        LogFormat::Auto => !terminal,
        LogFormat::Text => false,
        LogFormat::Json => true,
    };
    let dispatch = OwnDispatch::default();
    let look = if json { Look::Json } else { Look::Text };
    let lines = fmt::layer()
        .fmt_fields(JsonFields::new())
        .event_format(Lines::new(look, dispatch.clone()))
        .with_ansi(terminal)
        .with_writer(writer);
    let traces = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("oms"))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_filter(spans(detail));
    Ok(tracing_subscriber::registry()
        .with(dispatch)
        .with(traces)
        .with(lines.with_filter(settings.filter()?)))
}

/// What the layer of spans sits on.
type Seen = Layered<OwnDispatch, Registry>;

/// Traces do not depend on the level of the log: a trace must not break where nothing is logged.
/// Only spans, and of other crates only those they deem worth reporting. Of ours, those of level
/// DEBUG are the detail of a trace that is recorded: others have none, and without an exporter
/// their places in the code are switched off.
fn spans(detail: bool) -> Box<dyn Filter<Seen> + Send + Sync> {
    let ours = if detail { LevelFilter::DEBUG } else { LevelFilter::INFO };
    let spans = Targets::new()
        .with_default(LevelFilter::INFO)
        .with_target("oms", ours)
        .and(filter_fn(|metadata| metadata.is_span()));
    let is_plain = |metadata: &Metadata<'_>| *metadata.level() <= Level::INFO;
    if !detail {
        return spans.boxed();
    }
    let recorded =
        move |metadata: &Metadata<'_>, _: &Context<'_, Seen>| is_plain(metadata) || is_sampled();
    let ask = move |metadata: &'static Metadata<'static>| {
        if is_plain(metadata) { Interest::always() } else { Interest::sometimes() }
    };
    let recorded = DynFilterFn::new(recorded).with_callsite_filter(ask);
    spans.and(recorded.with_max_level_hint(LevelFilter::DEBUG)).boxed()
}

/// Remembers the subscriber it is part of: a formatter cannot ask for the current one while it
/// runs inside it.
#[derive(Clone, Debug, Default)]
pub(crate) struct OwnDispatch(Arc<OnceLock<WeakDispatch>>);

impl OwnDispatch {
    pub(crate) fn get(&self) -> Option<Dispatch> {
        self.0.get().and_then(WeakDispatch::upgrade)
    }
}

impl<S: Subscriber> Layer<S> for OwnDispatch {
    fn on_register_dispatch(&self, subscriber: &Dispatch) {
        let _ = self.0.set(subscriber.downgrade());
    }
}
