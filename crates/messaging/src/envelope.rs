//! The envelope of an event on the log: CloudEvents 1.0 in structured JSON.
//!
//! `type` comes first, so that a one-line preview of the value says what happened.
//! Source: CloudEvents 1.0.2, JSON event format.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::failure::Failure;

/// What the record header [`CONTENT_TYPE_HEADER`] says of an event.
pub const CONTENT_TYPE: &str = "application/cloudevents+json";

/// The record header that says what the value is.
pub const CONTENT_TYPE_HEADER: &str = "content-type";

/// The record header with the trace context of the publishing hop.
pub const TRACEPARENT_HEADER: &str = "traceparent";

/// The record header that asks every other service to say again all it said about the stream
/// (rule 10). Its value is `1`.
pub const ASK_HEADER: &str = "oms-ask";

/// An event as it was read from the log, its data not yet interpreted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    /// What happened, for example `oms.inventory.reserved.v1`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The event's id; outbox key and inbox key.
    pub id: Uuid,
    /// Who says it, for example `/oms/inventory`.
    pub source: String,
    /// The stream it belongs to: the order id. Equal to the record's key.
    pub subject: String,
    /// When it happened, RFC 3339 in microseconds.
    #[serde(with = "instant")]
    pub time: DateTime<Utc>,
    /// Always `1.0`.
    pub specversion: String,
    /// Always `application/json`.
    pub datacontenttype: String,
    /// The run it belongs to; for tracing and metrics only, nothing is decided by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sagaid: Option<Uuid>,
    /// The event that caused this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causationid: Option<Uuid>,
    /// Position within (subject, source), ten digits so that text order is number order.
    pub sequence: String,
    /// W3C trace context of the action that led here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// What the event says.
    pub data: Box<RawValue>,
}

impl Event {
    /// Reads an envelope.
    ///
    /// # Errors
    /// [`Failure::Poison`] with code `malformed_envelope`: no retry can mend it.
    pub fn parse(payload: &[u8]) -> Result<Self, Failure> {
        let event: Self = serde_json::from_slice(payload)
            .map_err(|error| Failure::poison("malformed_envelope", error.to_string()))?;
        if event.specversion != "1.0" {
            return Err(Failure::poison(
                "malformed_envelope",
                format!("specversion {:?} is not 1.0", event.specversion),
            ));
        }
        event.sequence_number()?;
        Ok(event)
    }

    /// Writes the envelope as the record's value.
    ///
    /// # Errors
    /// [`Failure::Unclassified`] when the data cannot be written as JSON.
    pub fn to_payload(&self) -> Result<Vec<u8>, Failure> {
        serde_json::to_vec(self).map_err(|error| Failure::Unclassified(error.to_string()))
    }

    /// The event's data as `D`.
    ///
    /// # Errors
    /// [`Failure::Poison`] with code `malformed_data`.
    pub fn data<D: DeserializeOwned>(&self) -> Result<D, Failure> {
        serde_json::from_str(self.data.get()).map_err(|error| {
            Failure::poison("malformed_data", format!("{}: {error}", self.event_type))
        })
    }

    /// Position within (subject, source).
    ///
    /// # Errors
    /// [`Failure::Poison`] when it is no number.
    pub fn sequence_number(&self) -> Result<i64, Failure> {
        self.sequence.parse().map_err(|_| {
            Failure::poison("malformed_envelope", format!("sequence {:?}", self.sequence))
        })
    }
}

mod instant {
    use super::{DateTime, SecondsFormat, Utc};
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(at: &DateTime<Utc>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Micros, true))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<DateTime<Utc>, D::Error> {
        DateTime::<Utc>::deserialize(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"type":"a.v1","id":"0190f5fe-7a3b-7000-8000-000000000001","source":"/x","subject":"s","time":"2026-01-02T03:04:05.000006Z","specversion":"1.0","datacontenttype":"application/json","sequence":"0000000007","data":{"n":1}}"#;

    #[test]
    fn an_envelope_is_written_as_it_was_read_with_its_type_first() {
        let event = Event::parse(EVENT.as_bytes()).unwrap();
        assert_eq!(event.sequence_number().unwrap(), 7);
        assert_eq!(String::from_utf8(event.to_payload().unwrap()).unwrap(), EVENT);
    }

    #[test]
    fn what_is_no_envelope_is_poison() {
        for bad in [&b"\xff"[..], b"{}", b"[]", EVENT.replace("\"1.0\"", "\"0.3\"").as_bytes()] {
            assert!(matches!(Event::parse(bad), Err(Failure::Poison { .. })));
        }
    }

    #[test]
    fn unknown_fields_are_ignored() {
        let more = EVENT.replacen('{', r#"{"newer":true,"#, 1);
        assert!(Event::parse(more.as_bytes()).is_ok());
    }
}
