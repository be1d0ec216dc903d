//! A parked event as an operator sees it, and how letters are selected.

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, Condition};

use crate::{
    Delivery, Failure, Record,
    headers::StoredHeaders,
    log::Partition,
    tables::parked::{self, Column as C},
};

/// A parked event, without its payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Its number in this service, in the order of arrival.
    pub id: i64,
    /// Its stream; absent when the record has no readable key.
    pub stream: Option<String>,
    /// The event's type as far as it could be read.
    pub event_type: String,
    /// The event's id; where it has none, or none to be trusted, its place in the log.
    pub identity: String,
    /// The topic it was read from.
    pub topic: String,
    /// The partition it was read from.
    pub partition: i32,
    /// The offset it was read at.
    pub offset: i64,
    /// Why: a poison's code, or `parked_behind`.
    pub reason: String,
    /// The same for people.
    pub message: String,
    /// When.
    pub parked_at: DateTime<Utc>,
}

/// A parked event with all there is of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WholeLetter {
    /// The letter.
    pub letter: Letter,
    /// The record's key.
    pub key: Option<Vec<u8>>,
    /// The value as it was read.
    pub payload: Vec<u8>,
    /// The record's headers, in order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Events of its stream that wait behind it.
    pub behind: u64,
}

/// The columns of a [`Letter`], in its order.
pub(super) const COLUMNS: [C; 10] = [
    C::Seq,
    C::Stream,
    C::EventType,
    C::Identity,
    C::Topic,
    C::Partition,
    C::LogOffset,
    C::Reason,
    C::Message,
    C::ParkedAt,
];

/// What [`COLUMNS`] hold.
pub(super) type Columns =
    (i64, Option<String>, String, String, String, i32, i64, String, String, i64);

impl From<Columns> for Letter {
    fn from(columns: Columns) -> Self {
        let (id, stream, event_type, identity, topic, partition, offset, reason, message, at) =
            columns;
        let parked_at = instant(at);
        Self {
            id,
            stream,
            event_type,
            identity,
            topic,
            partition,
            offset,
            reason,
            message,
            parked_at,
        }
    }
}

impl From<&parked::Model> for Letter {
    fn from(row: &parked::Model) -> Self {
        Self {
            id: row.seq,
            stream: row.stream.clone(),
            event_type: row.event_type.clone(),
            identity: row.identity.clone(),
            topic: row.topic.clone(),
            partition: row.partition,
            offset: row.log_offset,
            reason: row.reason.clone(),
            message: row.message.clone(),
            parked_at: instant(row.parked_at),
        }
    }
}

fn instant(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}

/// The record as it was read.
pub(super) fn delivery(row: &parked::Model) -> Result<Delivery, Failure> {
    let StoredHeaders { key, headers } = StoredHeaders::parse(&row.headers)?;
    let partition = Partition { topic: row.topic.clone(), number: row.partition };
    let (topic, payload) = (row.topic.clone(), row.payload.clone());
    let record = Record { topic, key, payload, headers };
    Ok(Delivery { partition, offset: row.log_offset, written_at: None, record })
}

/// Which letters; one without a wish selects all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LetterFilter {
    /// One of these numbers; empty for any.
    pub ids: Vec<i64>,
    /// Of this stream.
    pub stream: Option<String>,
    /// Of this type.
    pub event_type: Option<String>,
    /// Parked for this reason.
    pub reason: Option<String>,
    /// Parked at this instant or later.
    pub parked_from: Option<DateTime<Utc>>,
    /// Parked before this instant.
    pub parked_before: Option<DateTime<Utc>>,
}

impl LetterFilter {
    /// The letters of one stream.
    #[must_use]
    pub fn of_stream(stream: impl Into<String>) -> Self {
        Self { stream: Some(stream.into()), ..Self::default() }
    }

    /// These letters.
    #[must_use]
    pub fn of_ids(ids: impl Into<Vec<i64>>) -> Self {
        Self { ids: ids.into(), ..Self::default() }
    }

    /// Whether it selects all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn condition(&self) -> Condition {
        let at = |instant: DateTime<Utc>| instant.timestamp_micros();
        Condition::all()
            .add_option((!self.ids.is_empty()).then(|| C::Seq.is_in(self.ids.iter().copied())))
            .add_option(self.stream.as_ref().map(|stream| C::Stream.eq(stream)))
            .add_option(self.event_type.as_ref().map(|name| C::EventType.eq(name)))
            .add_option(self.reason.as_ref().map(|reason| C::Reason.eq(reason)))
            .add_option(self.parked_from.map(|from| C::ParkedAt.gte(at(from))))
            .add_option(self.parked_before.map(|before| C::ParkedAt.lt(at(before))))
    }
}
