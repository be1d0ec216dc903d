//! One JSON object a line: time, level, target, message, trace id, and the fields of the event and
//! of the spans around it, all at the top level so that a query needs no path.

use std::fmt;

use serde_json::{Map, Value};
use tracing::{
    Event, Subscriber,
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

/// Formats events as JSON lines; needs the spans' fields as JSON too.
#[derive(Debug)]
pub(crate) struct JsonLines(OwnDispatch);

impl JsonLines {
    pub(crate) fn new(dispatch: OwnDispatch) -> Self {
        Self(dispatch)
    }

    /// The trace of the innermost span that has one: a log may see spans that a trace does not.
    fn trace_id<S, N>(&self, context: &FmtContext<'_, S, N>) -> Option<String>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
        N: for<'a> FormatFields<'a> + 'static,
    {
        let dispatch = self.0.get()?;
        context.event_scope().into_iter().flatten().find_map(|span| {
            let found = tracing_opentelemetry::get_otel_context(&span.id(), &dispatch);
            found.as_ref().and_then(trace_id)
        })
    }
}

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut at = String::new();
        SystemTime.format_time(&mut Writer::new(&mut at))?;
        let mut line = Map::new();
        line.insert("timestamp".to_owned(), at.into());
        line.insert("level".to_owned(), event.metadata().level().to_string().into());
        line.insert("target".to_owned(), event.metadata().target().into());
        let mut scope = context.event_scope().into_iter().flatten().peekable();
        if let Some(span) = scope.peek() {
            line.insert("span".to_owned(), span.name().into());
            if let Some(id) = self.trace_id(context) {
                line.insert("trace_id".to_owned(), id.into());
            }
        }
        event.record(&mut Fields(&mut line));
        // Innermost first: the nearer field wins.
        for span in scope {
            if let Some(fields) = span.extensions().get::<FormattedFields<N>>()
                && let Ok(Value::Object(fields)) = serde_json::from_str(&fields.fields)
            {
                for (name, value) in fields {
                    line.entry(name).or_insert(value);
                }
            }
        }
        writeln!(writer, "{}", Value::Object(line))
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
