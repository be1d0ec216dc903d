//! One transaction of one service: streams locked first, state changed, events appended (rule 1).

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    DatabaseTransaction, EntityTrait, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::{Event, Failure, Messaging, streams::LockedStreams, tables::outbox};

/// An event to be said. The transaction adds id, sequence and time.
#[derive(Clone, Debug)]
pub struct Announcement {
    /// The stream: the order id.
    pub stream: String,
    /// The event's type.
    pub event_type: &'static str,
    /// What it says.
    pub data: Box<RawValue>,
    /// The run it belongs to.
    pub saga: Option<Uuid>,
    /// The event that caused it.
    pub causation: Option<Uuid>,
    /// Trace context of the action.
    pub traceparent: Option<String>,
}

impl Announcement {
    /// An announcement in the current trace.
    ///
    /// # Errors
    /// [`Failure::Unclassified`] when the data cannot be written as JSON.
    pub fn new<D: Serialize>(
        stream: impl Into<String>,
        event_type: &'static str,
        data: &D,
    ) -> Result<Self, Failure> {
        let data = serde_json::value::to_raw_value(data)
            .map_err(|error| Failure::Unclassified(format!("{event_type}: {error}")))?;
        let traceparent = oms_telemetry::current_traceparent();
        Ok(Self {
            stream: stream.into(),
            event_type,
            data,
            saga: None,
            causation: None,
            traceparent,
        })
    }

    /// Names the run.
    #[must_use]
    pub fn in_saga(mut self, saga: Option<Uuid>) -> Self {
        self.saga = saga;
        self
    }

    /// Names the cause; its trace context is used where there is no trace of our own.
    #[must_use]
    pub fn caused_by(mut self, event: &Event) -> Self {
        self.causation = Some(event.id);
        self.traceparent = self.traceparent.or_else(|| event.traceparent.clone());
        self
    }
}

/// Where a stream stands in this service, as the domain sees it after a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Waits for another service's word, and asks when it stays away (rule 10).
    Waiting,
    /// Waits for nothing, but more may come.
    Resting,
    /// Has come to its end and waits for nothing: retention of its rows begins.
    Ended,
}

/// One transaction. Dropping it without [`Tx::commit`] rolls back.
#[derive(Debug)]
pub struct Tx {
    messaging: Messaging,
    conn: DatabaseTransaction,
    now: DateTime<Utc>,
    streams: LockedStreams,
    rows: Vec<outbox::ActiveModel>,
}

impl Tx {
    pub(crate) async fn begin(messaging: Messaging) -> Result<Self, Failure> {
        let immediate = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        let conn = messaging.database().begin_with_options(immediate).await?;
        let now = messaging.seams().clock.now();
        Ok(Self { messaging, conn, now, streams: LockedStreams::default(), rows: Vec::new() })
    }

    /// The database transaction, for the service's own statements.
    #[must_use]
    pub fn conn(&self) -> &DatabaseTransaction {
        &self.conn
    }

    /// The transaction's one instant.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// A fresh id.
    #[must_use]
    pub fn next_id(&self) -> Uuid {
        self.messaging.seams().ids.next()
    }

    /// What the transaction belongs to.
    #[must_use]
    pub fn messaging(&self) -> &Messaging {
        &self.messaging
    }

    /// Locks streams in sorted order, before anything else is read or written.
    ///
    /// # Errors
    /// Any failure of the store.
    pub async fn lock(&mut self, ids: impl IntoIterator<Item = String>) -> Result<(), Failure> {
        self.streams.lock(&self.conn, ids).await
    }

    /// Whether a dead letter parks the held stream.
    #[must_use]
    pub fn is_parked(&self, stream: &str) -> bool {
        self.streams.get(stream).is_some_and(|row| row.parked)
    }

    /// Parks the held stream, or lets it go on.
    ///
    /// # Errors
    /// When the stream is not locked.
    pub fn set_parked(&mut self, stream: &str, parked: bool) -> Result<(), Failure> {
        self.streams.change(stream)?.parked = parked;
        Ok(())
    }

    /// Says an event: draws its sequence and appends its outbox row, written at commit.
    ///
    /// # Errors
    /// When the stream is not locked.
    pub fn announce(&mut self, said: Announcement) -> Result<Uuid, Failure> {
        let row = self.streams.change(&said.stream)?;
        row.sequence += 1;
        let event = Event {
            event_type: said.event_type.to_owned(),
            id: self.messaging.seams().ids.next(),
            source: self.messaging.source().to_owned(),
            subject: said.stream.clone(),
            time: self.now,
            specversion: "1.0".to_owned(),
            datacontenttype: "application/json".to_owned(),
            sagaid: said.saga,
            causationid: said.causation,
            sequence: format!("{:010}", row.sequence),
            traceparent: said.traceparent,
            data: said.data,
        };
        self.append(outbox::ActiveModel {
            seq: NotSet,
            id: Set(event.id.to_string()),
            topic: Set(self.messaging.topic().to_owned()),
            stream: Set(Some(said.stream)),
            event_type: Set(event.event_type.clone()),
            payload: Set(event.to_payload()?),
            headers: Set(None),
            traceparent: Set(event.traceparent.clone()),
            created_at: Set(self.now.timestamp_micros()),
            published_at: Set(None),
            generation: Set(0),
            ask: Set(false),
            refused_until: Set(None),
            refused_reason: Set(None),
        });
        Ok(event.id)
    }

    /// Appends an outbox row as it is.
    pub(crate) fn append(&mut self, row: outbox::ActiveModel) {
        self.rows.push(row);
    }

    /// Says where the held stream stands now. Hearing something restarts a waiter's silence.
    ///
    /// # Errors
    /// When the stream is not locked.
    pub fn set_standing(&mut self, stream: &str, standing: Standing) -> Result<(), Failure> {
        let now = self.now.timestamp_micros();
        let silence = i64::try_from(self.messaging.settings().ask_after_ms).unwrap_or(i64::MAX);
        let ask_at = (self.now + TimeDelta::milliseconds(silence)).timestamp_micros();
        let row = self.streams.change(stream)?;
        row.ask_attempt = 0;
        row.ask_at = (standing == Standing::Waiting).then_some(ask_at);
        row.ended_at = (standing == Standing::Ended).then(|| row.ended_at.unwrap_or(now));
        Ok(())
    }

    /// The held stream's row, to be changed.
    pub(crate) fn stream(
        &mut self,
        stream: &str,
    ) -> Result<&mut crate::tables::streams::Model, Failure> {
        self.streams.change(stream)
    }

    /// Writes streams and outbox rows, commits, and wakes the relay.
    ///
    /// # Errors
    /// Any failure of the store; nothing was changed then, unless the connection broke during the
    /// commit itself, which is transient and leaves the outcome to the next look at the state.
    pub async fn commit(mut self) -> Result<(), Failure> {
        self.streams.flush(&self.conn).await?;
        let appended = !self.rows.is_empty();
        for chunk in std::mem::take(&mut self.rows).chunks(500) {
            outbox::Entity::insert_many(chunk.to_vec()).exec_without_returning(&self.conn).await?;
        }
        self.conn.commit().await?;
        if appended {
            self.messaging.wake_relay();
        }
        Ok(())
    }
}
