//! Spans as Jaeger's query API tells them.

use std::{collections::BTreeMap, net::SocketAddr};

use anyhow::{Context, bail};
use oms_servers::JaegerAt;
use oms_testkit::{SeenSpan, SpanKind};
use serde_json::Value;

/// The spans of a trace; none where Jaeger does not know it yet.
pub(super) async fn trace(at: &JaegerAt, trace: &str) -> anyhow::Result<Vec<SeenSpan>> {
    let host = at.page.trim_start_matches("http://").trim_end_matches('/');
    let address: SocketAddr = host.parse().with_context(|| format!("{host} is no address"))?;
    let (status, body) = crate::get(address, &format!("/api/traces/{trace}")).await?;
    match status {
        200 => spans(&body),
        404 => Ok(Vec::new()),
        _ => bail!("Jaeger answers {status}: {body}"),
    }
}

fn spans(body: &str) -> anyhow::Result<Vec<SeenSpan>> {
    let answer: Value = serde_json::from_str(body)?;
    let mut found = Vec::new();
    for trace in answer["data"].as_array().context("no data")? {
        let processes = &trace["processes"];
        for span in trace["spans"].as_array().context("no spans")? {
            let process = &processes[text(&span["processID"])?];
            found.push(seen(text(&process["serviceName"])?, span)?);
        }
    }
    found.sort_by_key(|span| span.began);
    Ok(found)
}

fn seen(service: &str, span: &Value) -> anyhow::Result<SeenSpan> {
    let trace = text(&span["traceID"])?;
    let attributes = attributes(&span["tags"])?;
    let (mut parent, mut links) = (String::new(), Vec::new());
    for reference in span["references"].as_array().map_or(&[][..], Vec::as_slice) {
        let of = text(&reference["traceID"])?;
        if reference["refType"] == "CHILD_OF" && of == trace && parent.is_empty() {
            text(&reference["spanID"])?.clone_into(&mut parent);
        } else {
            links.push(of.to_owned());
        }
    }
    // Jaeger counts microseconds.
    let began = span["startTime"].as_u64().context("no start")? * 1_000;
    let lasted = span["duration"].as_u64().context("no duration")? * 1_000;
    Ok(SeenSpan {
        service: service.to_owned(),
        name: text(&span["operationName"])?.to_owned(),
        kind: match attributes.get("span.kind").map(String::as_str) {
            Some("server") => SpanKind::Server,
            Some("client") => SpanKind::Client,
            Some("producer") => SpanKind::Producer,
            Some("consumer") => SpanKind::Consumer,
            _ => SpanKind::Internal,
        },
        trace: trace.to_owned(),
        id: text(&span["spanID"])?.to_owned(),
        parent,
        began,
        ended: began + lasted,
        failed: attributes.get("error").is_some_and(|failed| failed == "true"),
        attributes,
        links,
    })
}

fn attributes(tags: &Value) -> anyhow::Result<BTreeMap<String, String>> {
    let tags = tags.as_array().map_or(&[][..], Vec::as_slice);
    tags.iter()
        .map(|tag| {
            let value = match &tag["value"] {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            Ok((text(&tag["key"])?.to_owned(), value))
        })
        .collect()
}

fn text(value: &Value) -> anyhow::Result<&str> {
    value.as_str().with_context(|| format!("{value} is no text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = r#"{"data":[{"traceID":"0af7","processes":{"p1":{"serviceName":"oms-order",
        "tags":[]}},"spans":[{"traceID":"0af7","spanID":"b2","operationName":"send topic",
        "references":[{"refType":"CHILD_OF","traceID":"0af7","spanID":"b1"},
        {"refType":"FOLLOWS_FROM","traceID":"0bbb","spanID":"c1"}],"startTime":7,"duration":2,
        "tags":[{"key":"span.kind","type":"string","value":"producer"},
        {"key":"oms.outbox_wait_ms","type":"int64","value":12},
        {"key":"error","type":"bool","value":true}],"logs":[],"processID":"p1"}]}]}"#;

    #[test]
    fn a_span_has_the_shape_that_a_collector_gives_it() {
        let span = spans(ANSWER).unwrap().remove(0);
        assert_eq!((span.service.as_str(), span.name.as_str()), ("oms-order", "send topic"));
        assert_eq!((span.id.as_str(), span.parent.as_str()), ("b2", "b1"));
        assert_eq!((span.kind, span.failed), (SpanKind::Producer, true));
        assert_eq!((span.began, span.ended), (7_000, 9_000));
        assert_eq!(span.attribute("oms.outbox_wait_ms"), "12");
        assert_eq!(span.links, ["0bbb"]);
    }

    #[test]
    fn an_answer_without_a_service_or_a_start_is_an_error() {
        spans(&ANSWER.replace("\"startTime\":7,", "")).unwrap_err();
        spans(&ANSWER.replace("\"p1\":{", "\"p2\":{")).unwrap_err();
        spans("{}").unwrap_err();
    }
}
