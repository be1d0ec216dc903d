//! Log lines and trace context, through the real subscriber.

use std::{
    io,
    sync::{Arc, Mutex},
};

use opentelemetry_sdk::trace::SdkTracerProvider;
use serde_json::Value;
use tracing::{Level, info_span, subscriber::with_default};
use tracing_subscriber::fmt::MakeWriter;

use crate::{
    LogFormat, LogSettings, current_trace_id, current_traceparent, init::subscriber, set_parent,
    traceparent_of,
};

#[derive(Clone, Debug, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn json(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Runs `work` under a subscriber and gives what was logged.
fn logged(level: &str, format: LogFormat, terminal: bool, work: impl FnOnce()) -> Lines {
    let lines = Lines::default();
    let settings = LogSettings { level: level.to_owned(), format };
    let provider = SdkTracerProvider::builder().build();
    let subscriber = subscriber(&settings, terminal, &provider, false, lines.clone()).unwrap();
    with_default(subscriber, work);
    lines
}

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

#[test]
fn without_a_subscriber_there_is_no_trace() {
    let span = info_span!("alone");
    set_parent(&span, PARENT);
    let _entered = span.enter();
    assert_eq!((current_traceparent(), current_trace_id()), (None, None));
}

#[test]
fn outside_of_a_span_there_is_no_trace() {
    logged("info", LogFormat::Json, false, || assert_eq!(current_traceparent(), None));
}

#[test]
fn a_span_begins_a_trace_and_its_children_share_it() {
    logged("info", LogFormat::Json, false, || {
        let _outer = info_span!("outer").entered();
        let (trace, parent) = (current_trace_id().unwrap(), current_traceparent().unwrap());
        assert_eq!(parent.len(), 55);
        assert!(parent.starts_with(&format!("00-{trace}-")) && parent.ends_with("-01"));
        let _inner = info_span!("inner").entered();
        assert_eq!(current_trace_id().unwrap(), trace);
        assert_ne!(current_traceparent().unwrap(), parent);
    });
}

#[test]
fn a_span_goes_on_with_the_trace_of_its_remote_parent() {
    logged("info", LogFormat::Json, false, || {
        let span = info_span!("consume");
        set_parent(&span, PARENT);
        let _entered = span.enter();
        assert_eq!(current_trace_id().unwrap(), TRACE);
        let own = traceparent_of(&span).unwrap();
        assert_eq!(own, current_traceparent().unwrap());
        assert!(own.starts_with(&format!("00-{TRACE}-")) && own != PARENT);
    });
}

#[test]
fn what_is_no_traceparent_is_ignored() {
    logged("info", LogFormat::Json, false, || {
        for wrong in
            ["", "00", "nonsense", "00-00000000000000000000000000000000-b7ad6b7169203331-01"]
        {
            let span = info_span!("consume");
            set_parent(&span, wrong);
            let _entered = span.enter();
            let own = current_trace_id().unwrap();
            assert!(own != TRACE && own.len() == 32);
        }
    });
}

/// A trace must not break where nothing is logged.
#[test]
fn traces_do_not_depend_on_the_level_of_the_log() {
    let lines = logged("off", LogFormat::Json, false, || {
        let span = info_span!("quiet");
        set_parent(&span, PARENT);
        let _entered = span.enter();
        tracing::error!("nobody reads this");
        assert_eq!(current_trace_id().unwrap(), TRACE);
    });
    assert_eq!(lines.text(), "");
}

#[test]
fn a_json_line_carries_fields_spans_and_trace() {
    let lines = logged("info", LogFormat::Json, false, || {
        let outer = info_span!("pay", order_id = "o-1", attempt = 1);
        set_parent(&outer, PARENT);
        let _outer = outer.enter();
        let _inner = info_span!("commit", attempt = 2).entered();
        tracing::warn!(event.type = "oms.order.created.v1", rows = 3_u64, slow = true, "late");
    });
    let line = lines.json().remove(0);
    assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
    assert_eq!(line["level"], "WARN");
    assert_eq!(line["target"], "oms_telemetry::tests");
    assert_eq!(line["message"], "late");
    assert_eq!(line["span"], "commit");
    assert_eq!(line["event.type"], "oms.order.created.v1");
    assert_eq!((&line["rows"], &line["slow"]), (&Value::from(3), &Value::from(true)));
    assert_eq!(line["order_id"], "o-1");
    assert_eq!(line["attempt"], 2, "the nearer span wins");
    assert_eq!(line["trace_id"], TRACE);
}

/// What conventions of traces call it is nothing that somebody who reads a log has to know.
#[test]
fn a_spans_field_is_called_in_a_line_as_an_events_is() {
    let say = || {
        let span = info_span!(
            "process",
            otel.name = "process topic",
            otel.kind = "consumer",
            oms.order_id = "o-1",
            oms.event_type = "oms.order.created.v1",
            oms.service = "order",
            oms.outcome = tracing::field::Empty,
        );
        set_parent(&span, PARENT);
        let _entered = span.enter();
        span.record("oms.outcome", "moved");
        tracing::warn!("late");
    };
    let line = logged("info", LogFormat::Json, false, say).json().remove(0);
    for (name, value) in [
        ("order_id", "o-1"),
        ("event.type", "oms.order.created.v1"),
        ("service", "order"),
        ("outcome", "moved"),
        ("trace_id", TRACE),
    ] {
        assert_eq!(line[name], value, "{line}");
    }
    let strange = |name: &&String| name.starts_with("otel.") || name.starts_with("oms.");
    assert_eq!(line.as_object().unwrap().keys().find(strange), None, "{line}");
    let text = logged("info", LogFormat::Text, false, say).text();
    assert!(text.contains(" order_id=\"o-1\""), "{text}");
    assert!(text.contains(" event.type=\"oms.order.created.v1\""), "{text}");
    assert!(!text.contains("otel."), "{text}");
}

#[test]
fn a_line_of_text_ends_with_its_trace() {
    for terminal in [false, true] {
        let format = LogFormat::Text;
        let text = logged("info", format, terminal, || {
            let span = info_span!("pay", order_id = "o-1");
            set_parent(&span, PARENT);
            let _entered = span.enter();
            tracing::error!(rows = 3_u64, "failed");
            tracing::info!(parent: None, "elsewhere");
        })
        .text();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text:?}");
        assert!(lines[0].contains("ERROR") && lines[0].contains("failed"), "{text:?}");
        assert!(lines[0].ends_with(&format!("\"{TRACE}\"")), "{text:?}");
        assert!(!lines[1].contains("trace_id"), "{text:?}");
    }
}

/// Whoever names a product cannot write lines of the log.
#[test]
fn a_line_of_text_is_one_line_whatever_is_in_it() {
    let text = logged("info", LogFormat::Text, true, || {
        tracing::info!(note = "one\ntwo\u{1b}[2J", "three\nfour\u{1b}[2J");
    })
    .text();
    assert_eq!(text.lines().count(), 1, "{text:?}");
    assert!(!text.contains("\u{1b}[2J"), "{text:?}");
    assert!(text.contains("three\\nfour") && text.contains("one\\ntwo"), "{text:?}");
}

#[test]
fn a_json_line_outside_of_a_span_has_no_trace() {
    let lines = logged("info", LogFormat::Auto, false, || tracing::info!("line\nbreak \"quoted\""));
    let line = lines.json().remove(0);
    assert_eq!(line["message"], "line\nbreak \"quoted\"");
    assert!(line.get("trace_id").is_none() && line.get("span").is_none());
}

#[test]
fn a_terminal_gets_text_with_colours_and_a_file_without() {
    let say = || tracing::info!(order_id = "o-1", "paid");
    let terminal = logged("info", LogFormat::Auto, true, say).text();
    assert!(terminal.contains("\u{1b}[") && terminal.contains("paid"), "{terminal:?}");
    let file = logged("info", LogFormat::Text, false, say).text();
    assert!(!file.contains('\u{1b}') && file.contains("paid order_id=\"o-1\""), "{file:?}");
    assert!(serde_json::from_str::<Value>(&terminal).is_err());
}

#[test]
fn the_filter_is_the_settings_level() {
    let lines = logged("warn,oms_telemetry=debug", LogFormat::Json, false, || {
        tracing::debug!("ours");
        tracing::info!(target: "sqlx", "theirs");
        tracing::event!(target: "sqlx", Level::WARN, "theirs too");
    });
    let messages: Vec<_> = lines.json().iter().map(|line| line["message"].clone()).collect();
    assert_eq!(messages, ["ours", "theirs too"]);
}

#[test]
fn a_level_that_is_no_filter_is_a_violation_that_names_its_key() {
    assert!(LogSettings::default().violations("log").is_empty());
    let wrong = LogSettings { level: "a=b=c".to_owned(), ..LogSettings::default() };
    let found = wrong.violations("log");
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("log.level: \"a=b=c\": "), "{found:?}");
}

#[test]
fn settings_have_defaults_and_words() {
    let read = |text| serde_json::from_str::<LogSettings>(text);
    assert_eq!(read("{}").unwrap(), LogSettings::default());
    assert_eq!(read(r#"{"format":"json"}"#).unwrap().format, LogFormat::Json);
    assert!(read(r#"{"format":"xml"}"#).is_err());
}
