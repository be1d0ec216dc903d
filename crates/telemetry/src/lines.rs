//! Log lines: time, level, target, message, trace id, and the fields of the event and of the spans
//! around it, all beside each other. As JSON so that a query needs no path; as text for people.

use std::fmt::{self, Write};

use serde_json::{Map, Value};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields, FormattedFields,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    registry::LookupSpan,
};

use crate::{init::OwnDispatch, propagation::trace_id};

const MESSAGE: &str = "message";
const TRACE: &str = "trace_id";
/// What is said to the exporter of spans, and to nobody else.
const EXPORTERS: &str = "otel.";
/// What spans put before names of ours, which lines do without.
const OURS: &str = "oms.";

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// One JSON object.
    Json,
    /// Readable, with colours where the writer takes them.
    Text,
}

/// Formats events as lines; needs the spans' fields as JSON.
#[derive(Debug)]
pub(crate) struct Lines {
    look: Look,
    dispatch: OwnDispatch,
}

impl Lines {
    pub(crate) fn new(look: Look, dispatch: OwnDispatch) -> Self {
        Self { look, dispatch }
    }

    /// The trace of the innermost span that has one: a log may see spans that a trace does not.
    fn trace_id<S, N>(&self, context: &FmtContext<'_, S, N>) -> Option<String>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
        N: for<'a> FormatFields<'a> + 'static,
    {
        let dispatch = self.dispatch.get()?;
        context.event_scope().into_iter().flatten().find_map(|span| {
            let found = tracing_opentelemetry::get_otel_context(&span.id(), &dispatch);
            found.as_ref().and_then(trace_id)
        })
    }
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut at = String::new();
        SystemTime.format_time(&mut Writer::new(&mut at))?;
        let mut fields = Map::new();
        let mut scope = context.event_scope().into_iter().flatten().peekable();
        if let Some(span) = scope.peek() {
            fields.insert("span".to_owned(), span.name().into());
            if let Some(id) = self.trace_id(context) {
                fields.insert(TRACE.to_owned(), id.into());
            }
        }
        event.record(&mut Fields(&mut fields));
        // Innermost first: the nearer field wins.
        for span in scope {
            if let Some(own) = span.extensions().get::<FormattedFields<N>>()
                && let Ok(Value::Object(own)) = serde_json::from_str(&own.fields)
            {
                for (name, value) in own {
                    if let Some(name) = in_a_line(&name) {
                        fields.entry(name).or_insert(value);
                    }
                }
            }
        }
        let (level, target) = (*event.metadata().level(), event.metadata().target());
        match self.look {
            Look::Json => json(writer, &at, level, target, fields),
            Look::Text => text(writer, &at, level, target, fields),
        }
    }
}

/// What a span's field is called in a line: `order_id`, not `oms.order_id`, so that it is the same
/// whoever said it.
fn in_a_line(name: &str) -> Option<&str> {
    match name.strip_prefix(OURS) {
        Some("event_type") => Some("event.type"),
        Some(own) => Some(own),
        None => (!name.starts_with(EXPORTERS)).then_some(name),
    }
}

fn json(
    mut writer: Writer<'_>,
    at: &str,
    level: Level,
    target: &str,
    mut line: Map<String, Value>,
) -> fmt::Result {
    line.insert("timestamp".to_owned(), at.into());
    line.insert("level".to_owned(), level.to_string().into());
    line.insert("target".to_owned(), target.into());
    writeln!(writer, "{}", Value::Object(line))
}

/// Time, level, target and message, then the fields, the trace last.
fn text(
    mut writer: Writer<'_>,
    at: &str,
    level: Level,
    target: &str,
    mut fields: Map<String, Value>,
) -> fmt::Result {
    let (dim, colour, plain) = if writer.has_ansi_escapes() {
        ("\u{1b}[2m", colour(level), "\u{1b}[0m")
    } else {
        ("", "", "")
    };
    write!(writer, "{dim}{at}{plain} {colour}{level:>5}{plain} {dim}{target}:{plain}")?;
    let message = fields.remove(MESSAGE);
    let trace = fields.remove_entry(TRACE);
    match message {
        Some(Value::String(message)) => write!(writer, " {}", Tame(&message))?,
        Some(other) => write!(writer, " {other}")?,
        None => {}
    }
    for (name, value) in fields.into_iter().chain(trace) {
        // A string as JSON is quoted, and its control characters are escaped.
        write!(writer, " {dim}{name}={plain}{value}")?;
    }
    writeln!(writer)
}

fn colour(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\u{1b}[31m",
        Level::WARN => "\u{1b}[33m",
        Level::INFO => "\u{1b}[32m",
        Level::DEBUG => "\u{1b}[34m",
        Level::TRACE => "\u{1b}[35m",
    }
}

/// A text without what moves a terminal's cursor, or begins another line.
struct Tame<'a>(&'a str);

impl fmt::Display for Tame<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|sign| {
            if sign.is_control() {
                write!(formatter, "{}", sign.escape_default())
            } else {
                formatter.write_char(sign)
            }
        })
    }
}

struct Fields<'a>(&'a mut Map<String, Value>);

impl Fields<'_> {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }
}
