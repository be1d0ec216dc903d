//! What messaging knows about one stream: what was said and heard, and what is waited for. For
//! operators; nothing is locked.

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Deserialize;

use crate::{
    Failure,
    tables::{inbox, outbox, streams},
};

/// Events of each kind, at most: the newest.
const EVENTS_MAX: u64 = 200;

/// An event that this service said about a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Its id.
    pub id: String,
    /// Its type.
    pub event_type: String,
    /// The event that caused it.
    pub causation: Option<String>,
    /// When its row was written.
    pub at: DateTime<Utc>,
    /// When the broker had it the last time; `None` while it waits.
    pub published_at: Option<DateTime<Utc>>,
    /// Why the broker refused it.
    pub refused: Option<String>,
    /// How often it was said again.
    pub repeated: i64,
}

/// An event about a stream that this service applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Its id.
    pub id: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// What is known about a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamAccount {
    /// What was said, oldest first.
    pub said: Vec<Said>,
    /// What was heard, oldest first.
    pub heard: Vec<Applied>,
    /// When the service asks again; `None` where it waits for nothing.
    pub asks_at: Option<DateTime<Utc>>,
    /// How often it has asked since it last heard something.
    pub asked: i32,
}

/// The account of a stream, read through `database`.
///
/// # Errors
/// Any failure of the store.
pub async fn account_of(
    database: &DatabaseConnection,
    stream: &str,
) -> Result<StreamAccount, Failure> {
    let row = streams::Entity::find_by_id(stream).one(database).await?;
    let mut said = outbox::Entity::find()
        .filter(outbox::Column::Stream.eq(stream))
        .filter(outbox::Column::Headers.is_null())
        .order_by_desc(outbox::Column::Seq)
        .limit(EVENTS_MAX)
        .all(database)
        .await?;
    said.reverse();
    let mut heard = inbox::Entity::find()
        .filter(inbox::Column::Stream.eq(stream))
        .order_by_desc(inbox::Column::ReceivedAt)
        .order_by_desc(inbox::Column::Id)
        .limit(EVENTS_MAX)
        .all(database)
        .await?;
    heard.reverse();
    Ok(StreamAccount {
        said: said.into_iter().map(Said::from).collect(),
        heard: heard.into_iter().map(Applied::from).collect(),
        asks_at: row.as_ref().and_then(|row| row.ask_at).map(instant),
        asked: row.map_or(0, |row| row.ask_attempt),
    })
}

impl From<outbox::Model> for Said {
    fn from(row: outbox::Model) -> Self {
        #[derive(Deserialize)]
        struct Caused {
            causationid: Option<String>,
        }
        let caused: Option<Caused> = serde_json::from_slice(&row.payload).ok();
        Self {
            id: row.id,
            event_type: row.event_type,
            causation: caused.and_then(|caused| caused.causationid),
            at: instant(row.created_at),
            published_at: row.published_at.map(instant),
            refused: row.refused_reason,
            repeated: row.generation,
        }
    }
}

impl From<inbox::Model> for Applied {
    fn from(row: inbox::Model) -> Self {
        Self { id: row.id, at: instant(row.received_at) }
    }
}

fn instant(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}
