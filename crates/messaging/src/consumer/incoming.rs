//! A record as the consumer sees it: read once, before any transaction.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    Delivery, Event, Failure, Messaging, Reactor,
    envelope::{ASK_HEADER, TRACEPARENT_HEADER},
    headers::StoredHeaders,
};

/// Longest key that names a stream; what is longer is no order id, and no index would take it.
const KEY_BYTES_MAX: usize = 256;

/// A record and what it is to this service.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) delivery: Delivery,
    /// The number of the assignment under which it was read.
    pub(super) assignment: u64,
    /// The stream that the key names, if the key can be read.
    pub(super) stream: Option<String>,
    /// Whether all that was said about the stream is to be said again.
    pub(super) ask: bool,
    pub(super) what: What,
    /// What makes it one in parking.
    pub(super) identity: String,
    /// The type as far as it could be read.
    pub(super) event_type: String,
}

/// What a record is to a service.
#[derive(Debug)]
pub(super) enum What {
    /// An event there is a reaction to.
    Heard(Box<Event>),
    /// One of a type nobody here hears.
    Ignored,
    /// What this service said itself.
    Own,
    /// No event at all: poison before anybody tried.
    Unreadable { code: &'static str, message: String },
}

impl Incoming {
    pub(super) fn read<R: Reactor>(
        delivery: Delivery,
        assignment: u64,
        own: &Messaging,
        reactor: &R,
    ) -> Self {
        let stream = delivery.record.key.as_deref().and_then(readable_key);
        let parsed = Event::parse(&delivery.record.payload);
        let peeked = Peeked::of(&delivery.record.payload, parsed.as_ref().ok());
        let what = match parsed {
            Ok(event) if event.source == own.source() => What::Own,
            Ok(event) if !reactor.hears(&event.event_type) => What::Ignored,
            Ok(event) => match stream.as_deref() {
                None => unreadable("missing_key", "the record has no readable key"),
                Some(key) if key != event.subject => {
                    unreadable("key_mismatch", format!("key {key}, subject {}", event.subject))
                }
                Some(_) => What::Heard(Box::new(event)),
            },
            Err(Failure::Poison { code, message }) => unreadable(code, message),
            Err(failure) => unreadable("malformed_envelope", failure.to_string()),
        };
        let asked = delivery.header(ASK_HEADER).is_some_and(|value| value == b"1");
        let ask = asked && stream.is_some() && peeked.source.as_deref() != Some(own.source());
        // An id that came under a wrong key says nothing about the event that has it by right: were
        // it the identity, that event could not be parked any more and would be lost.
        let trusted = stream.is_some() && !what.is("key_mismatch");
        let id = peeked.id.filter(|_| trusted);
        let identity = id.map_or_else(|| location(&delivery), |id| id.to_string());
        let event_type = clean(&peeked.event_type.unwrap_or_default(), 255);
        Self { delivery, assignment, stream, ask, what, identity, event_type }
    }

    /// The event, if there is a reaction to it.
    pub(super) fn event(&self) -> Option<&Event> {
        match &self.what {
            What::Heard(event) => Some(event),
            What::Ignored | What::Own | What::Unreadable { .. } => None,
        }
    }

    /// Trace context: of the publishing hop, else of the action.
    pub(super) fn traceparent(&self) -> Option<&str> {
        let hop =
            self.delivery.header(TRACEPARENT_HEADER).and_then(|v| std::str::from_utf8(v).ok());
        hop.or_else(|| self.event().and_then(|event| event.traceparent.as_deref()))
    }

    /// The trace that it is part of, for lines of the log that are written outside of its span.
    pub(super) fn trace_id(&self) -> Option<&str> {
        self.traceparent().and_then(oms_telemetry::trace_id_in)
    }

    /// Key and headers as they came.
    pub(super) fn stored_headers(&self) -> StoredHeaders {
        let record = &self.delivery.record;
        StoredHeaders { key: record.key.clone(), headers: record.headers.clone() }
    }
}

fn unreadable(code: &'static str, message: impl Into<String>) -> What {
    What::Unreadable { code, message: message.into() }
}

impl What {
    /// The failure of a record that is no event.
    pub(super) fn failure(&self) -> Option<Failure> {
        match self {
            Self::Unreadable { code, message } => Some(Failure::poison(code, message.clone())),
            Self::Heard(_) | Self::Ignored | Self::Own => None,
        }
    }

    /// Whether it is no event for this reason.
    fn is(&self, reason: &str) -> bool {
        matches!(self, Self::Unreadable { code, .. } if *code == reason)
    }
}

fn readable_key(key: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(key).ok()?;
    let fits = !text.is_empty() && text.len() <= KEY_BYTES_MAX;
    (fits && !text.chars().any(char::is_control)).then(|| text.to_owned())
}

/// What can be told of a value even when the whole of it is no envelope.
#[derive(Default)]
struct Peeked {
    id: Option<Uuid>,
    event_type: Option<String>,
    source: Option<String>,
}

impl Peeked {
    fn of(payload: &[u8], event: Option<&Event>) -> Self {
        if let Some(event) = event {
            return Self {
                id: Some(event.id),
                event_type: Some(event.event_type.clone()),
                source: Some(event.source.clone()),
            };
        }
        let Ok(value) = serde_json::from_slice::<serde_json::Value>(payload) else {
            return Self::default();
        };
        let text = |name: &str| value.get(name).and_then(|v| v.as_str()).map(str::to_owned);
        let id = text("id").and_then(|id| Uuid::parse_str(&id).ok());
        Self { id, event_type: text("type"), source: text("source") }
    }
}

/// What a record is known by that has no id. A log that lost everything begins again at offset 0,
/// and garbage resembles garbage: what is in it, and about whom, has to tell two of them apart.
fn location(delivery: &Delivery) -> String {
    let record = &delivery.record;
    let mut digest = Sha256::new();
    if let Some(key) = &record.key {
        digest.update(key.len().to_be_bytes());
        digest.update(key);
    }
    digest.update(&record.payload);
    let digest: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let at = &delivery.partition;
    format!("{}/{}/{}/{digest}", at.topic, at.number, delivery.offset)
}

/// Text that every database and header takes: no control characters, at most `most` bytes.
pub(super) fn clean(text: &str, most: usize) -> String {
    let mut cleaned: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if cleaned.len() > most {
        cleaned.truncate(cleaned.floor_char_boundary(most));
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_short_printable_text_names_a_stream() {
        assert_eq!(readable_key(b"order-1").as_deref(), Some("order-1"));
        for bad in [&b""[..], b"\xff", b"a\0b", &[b'a'; KEY_BYTES_MAX + 1]] {
            assert_eq!(readable_key(bad), None);
        }
    }

    #[test]
    fn cleaned_text_is_cut_between_characters() {
        assert_eq!(clean("a\0b\nü", 5), "a b ");
        assert_eq!(clean("short", 5), "short");
    }
}
