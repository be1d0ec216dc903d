//! One transaction of one service: streams locked first, state changed, events appended (rule 1).

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    DatabaseTransaction, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::{
    Event, Failure, Messaging,
    afterwards::Afterwards,
    backoff::micros_after,
    spans,
    sql::insert,
    streams::{LockedStreams, not_locked},
    tables::{outbox, streams},
};

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
    wakes_relay: bool,
    afterwards: Afterwards,
    span: tracing::Span,
}

impl Tx {
    pub(crate) async fn begin(messaging: Messaging) -> Result<Self, Failure> {
        let immediate = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        let span = spans::transaction(&messaging);
        let conn = messaging.database().begin_with_options(immediate).await?;
        let now = messaging.seams().clock.now();
        Ok(Self {
            messaging,
            conn,
            now,
            streams: LockedStreams::default(),
            rows: Vec::new(),
            wakes_relay: false,
            afterwards: Afterwards::default(),
            span,
        })
    }

    /// Its span, which ends with it.
    pub(crate) fn span(&self) -> &tracing::Span {
        &self.span
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

    /// Locks streams in sorted order, before anything else is read or written. The first lock sets
    /// the transaction's instant anew: whoever waited for it comes after the one it waited for.
    ///
    /// # Errors
    /// Any failure of the store.
    pub async fn lock(&mut self, ids: impl IntoIterator<Item = String>) -> Result<(), Failure> {
        let first = self.streams.is_empty();
        self.streams.lock(&self.conn, ids).await?;
        if first {
            self.now = self.messaging.seams().clock.now();
        }
        Ok(())
    }

    /// Holds a new stream whose name the caller has just drawn: nobody else can know of it before
    /// the commit, so nothing has to be looked for or locked. Comes after all other locks.
    pub fn begin_stream(&mut self, id: String) {
        if self.streams.is_empty() {
            self.now = self.messaging.seams().clock.now();
        }
        self.streams.begin(id);
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
        let mut event = Event {
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
        let created = spans::create(&self.messaging, &event);
        event.traceparent = oms_telemetry::traceparent_of(&created).or(event.traceparent);
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
            ask_generation: Set(0),
            refused_until: Set(None),
            refused_reason: Set(None),
        });
        Ok(event.id)
    }

    /// Appends an outbox row as it is.
    pub(crate) fn append(&mut self, row: outbox::ActiveModel) {
        self.rows.push(row);
        self.wakes_relay = true;
    }

    /// Rows have become due: the relay is woken after the commit.
    pub(crate) fn wakes_relay(&mut self) {
        self.wakes_relay = true;
    }

    /// Inserts the rows appended so far.
    pub(crate) async fn write_rows(&mut self) -> Result<(), Failure> {
        insert(&self.conn, std::mem::take(&mut self.rows), None).await?;
        Ok(())
    }

    /// Says where the held stream stands now. Hearing something restarts a waiter's silence.
    ///
    /// # Errors
    /// When the stream is not locked.
    pub fn set_standing(&mut self, stream: &str, standing: Standing) -> Result<(), Failure> {
        let now = self.now.timestamp_micros();
        let ask_at = micros_after(self.now, self.messaging.settings().ask_after_ms);
        let row = self.streams.change(stream)?;
        row.ask_attempt = 0;
        row.ask_at = (standing == Standing::Waiting).then_some(ask_at);
        row.ended_at = (standing == Standing::Ended).then(|| row.ended_at.unwrap_or(now));
        Ok(())
    }

    /// Something was heard about the held stream: a waiter's silence begins anew. What it knew
    /// already (`news` is false) does not make it ask more often again.
    pub(crate) fn hear(&mut self, stream: &str, news: bool) -> Result<(), Failure> {
        let Some(ask_at) = self.held(stream)?.ask_at else { return Ok(()) };
        let heard = micros_after(self.now, self.messaging.settings().ask_after_ms);
        let row = self.streams.change(stream)?;
        if news {
            row.ask_attempt = 0;
            row.ask_at = Some(heard);
        } else {
            row.ask_at = Some(ask_at.max(heard));
        }
        Ok(())
    }

    /// The held stream's row.
    pub(crate) fn held(&self, stream: &str) -> Result<&streams::Model, Failure> {
        self.streams.get(stream).ok_or_else(|| not_locked(stream))
    }

    /// The held stream's row, to be changed.
    pub(crate) fn stream(&mut self, stream: &str) -> Result<&mut streams::Model, Failure> {
        self.streams.change(stream)
    }

    /// Takes this step once the transaction is committed, after the steps given before. One that
    /// is rolled back takes none: a counter counts here, and a waiter is woken here.
    pub fn afterwards(&mut self, step: impl FnOnce() + Send + Sync + 'static) {
        self.afterwards.push(step);
    }

    /// Writes streams and outbox rows, commits, wakes the relay, and does what follows.
    ///
    /// # Errors
    /// Any failure of the store; nothing was changed then, unless the connection broke during the
    /// commit itself, which is transient and leaves the outcome to the next look at the state.
    pub async fn commit(self) -> Result<(), Failure> {
        self.commit_only().await?.run();
        Ok(())
    }

    /// The same, and leaves what follows to the caller.
    pub(crate) async fn commit_only(mut self) -> Result<Afterwards, Failure> {
        self.streams.flush(&self.conn).await?;
        self.write_rows().await?;
        self.conn.commit().await?;
        if self.wakes_relay {
            self.messaging.wake_relay();
        }
        Ok(self.afterwards)
    }
}
