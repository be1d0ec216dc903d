//! Installs the subscriber: filtered log lines, and spans with real trace ids.

use std::{
    io::{self, IsTerminal},
    sync::{Arc, OnceLock},
};

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Dispatch, Subscriber, dispatcher::WeakDispatch, level_filters::LevelFilter};
use tracing_subscriber::{
    Layer,
    filter::{FilterExt, Targets, filter_fn},
    fmt::{self, MakeWriter, format::JsonFields},
    layer::SubscriberExt,
    registry::LookupSpan,
    util::SubscriberInitExt,
};

use crate::{
    json::JsonLines,
    settings::{LogFormat, LogSettings},
};

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
}

/// Keeps tracing alive; dropping it ends what is still open.
#[derive(Debug)]
#[must_use = "tracing ends when the guard is dropped"]
pub struct Guard(SdkTracerProvider);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown() {
            tracing::debug!(%error, "the tracer did not shut down cleanly");
        }
    }
}

/// Sets up logs and traces of this process. Called once, by the binary.
///
/// # Errors
/// When the level is no filter, or the process has a subscriber already.
pub fn init(settings: &LogSettings) -> Result<Guard, InitError> {
    let terminal = io::stderr().is_terminal();
    let provider = SdkTracerProvider::builder().build();
    subscriber(settings, terminal, &provider, io::stderr)?.try_init()?;
    Ok(Guard(provider))
}

/// The subscriber itself; tests give it another writer.
pub(crate) fn subscriber<W>(
    settings: &LogSettings,
    terminal: bool,
    provider: &SdkTracerProvider,
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
    let lines = if json {
        let format = JsonLines::new(dispatch.clone());
        fmt::layer().fmt_fields(JsonFields::new()).event_format(format).with_writer(writer).boxed()
    } else {
        fmt::layer().with_ansi(terminal).with_writer(writer).boxed()
    };
    // Traces do not depend on the level of the log: a trace must not break where nothing is
    // logged. Only spans, and of other crates only those they deem worth reporting.
    let spans = Targets::new()
        .with_default(LevelFilter::INFO)
        .with_target("oms", LevelFilter::TRACE)
        .and(filter_fn(|metadata| metadata.is_span()));
    let traces = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("oms"))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_filter(spans);
    Ok(tracing_subscriber::registry()
        .with(dispatch)
        .with(traces)
        .with(lines.with_filter(settings.filter()?)))
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
