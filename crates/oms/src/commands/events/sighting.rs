//! One record of the topic as a line, or as JSON.

use chrono::{DateTime, SecondsFormat, Utc};
use oms_messaging::{Delivery, Event, envelope::ASK_HEADER};
use serde_json::{Value, json};

use super::filter::{Filter, service, short};
use crate::cli::{cut, one_line};

/// A record, and what it says if it can be read.
pub(super) struct Sighting<'a> {
    delivery: &'a Delivery,
    event: Result<Event, String>,
}

impl<'a> Sighting<'a> {
    pub(super) fn of(delivery: &'a Delivery) -> Self {
        let event = Event::parse(&delivery.record.payload).map_err(|why| why.to_string());
        Self { delivery, event }
    }

    /// Whether it is shown. What is no event is shown where nothing is filtered: somebody wants
    /// to know of it.
    pub(super) fn passes(&self, filter: &Filter) -> bool {
        self.event.as_ref().map_or_else(|_| filter.is_empty(), |event| filter.passes(event))
    }

    /// On one line of at most `width` columns.
    pub(super) fn line(&self, width: Option<usize>) -> String {
        let asks = if self.delivery.header(ASK_HEADER).is_some() { " (asks)" } else { "" };
        let line = match &self.event {
            Ok(event) => format!(
                "{}  {:>8}  {}  {:<32}  {:<9}  {}{asks}",
                time(event.time),
                self.place(),
                event.subject,
                short(&event.event_type),
                service(&event.source),
                event.data.get(),
            ),
            Err(why) => {
                let at = self.delivery.written_at.map_or_else(String::new, time);
                format!("{at}  {:>8}  not an event: {why}", self.place())
            }
        };
        // Anybody may have written it: no part of it breaks the line or the terminal.
        let line = one_line(&line);
        width.map_or(line.clone(), |width| cut(&line, width))
    }

    /// As JSON: where it stands, and the envelope as it is.
    pub(super) fn document(&self) -> Value {
        let mut document = json!({
            "partition": self.delivery.partition.number,
            "offset": self.delivery.offset.to_string(),
        });
        let (name, value) = match &self.event {
            Ok(_) => ("event", serde_json::from_slice(&self.delivery.record.payload).ok()),
            Err(why) => ("error", Some(Value::from(why.as_str()))),
        };
        document[name] = value.unwrap_or_default();
        if let Some(at) = self.delivery.written_at {
            document["written_at"] = at.to_rfc3339_opts(SecondsFormat::Millis, true).into();
        }
        if self.delivery.header(ASK_HEADER).is_some() {
            document["asks"] = true.into();
        }
        document
    }

    fn place(&self) -> String {
        format!("{}/{}", self.delivery.partition.number, self.delivery.offset)
    }
}

fn time(at: DateTime<Utc>) -> String {
    at.format("%H:%M:%S%.3f").to_string()
}

#[cfg(test)]
mod tests {
    use oms_messaging::{Record, log::Partition};

    use super::*;

    #[test]
    fn nothing_that_was_written_breaks_the_line_or_the_terminal() {
        let nasty = "a\nb\u{1b}[31m";
        let event = json!({
            "specversion": "1.0", "id": uuid::Uuid::nil(), "source": nasty, "type": nasty,
            "subject": nasty, "time": "2026-01-01T00:00:00Z", "sequence": "0000000001",
            "datacontenttype": "application/json", "data": { "a": nasty },
        });
        for (payload, is_event) in [(event.to_string().into(), true), (nasty.into(), false)] {
            let record = Record { topic: "t".to_owned(), key: None, payload, headers: Vec::new() };
            let partition = Partition { topic: "t".to_owned(), number: 0 };
            let delivery = Delivery { partition, offset: 7, written_at: None, record };
            let seen = Sighting::of(&delivery);
            assert_eq!(seen.event.is_ok(), is_event, "{:?}", seen.event);
            let line = seen.line(None);
            assert!(!line.contains(|letter: char| letter.is_control()), "{line:?}");
            assert!(line.contains("0/7"), "{line}");
        }
    }
}
