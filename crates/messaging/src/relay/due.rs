//! Rows of the outbox that are due, as records, and how they are marked.

use std::collections::BTreeMap;

use oms_telemetry::traceparent_of;
use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseConnection, EntityTrait};

use crate::{
    Failure, Messaging, Record,
    envelope::{ASK_HEADER, CONTENT_TYPE, CONTENT_TYPE_HEADER, TRACEPARENT_HEADER},
    headers::StoredHeaders,
    spans,
    sql::{number_list, numbers, statement},
    tables::outbox,
};

/// Rows that are due, oldest first. What the broker refused waits, and its stream on that topic
/// waits with it. Selected by state, never by a high-water mark: numbers are drawn before commit.
pub(super) async fn select(messaging: &Messaging) -> Result<Vec<outbox::Model>, Failure> {
    let database = messaging.database();
    let backend = database.get_database_backend();
    let now = messaging.seams().clock.now().timestamp_micros();
    let most = i64::try_from(messaging.settings().relay_batch_max).unwrap_or(i64::MAX);
    let text = "SELECT o.* FROM outbox o WHERE o.published_at IS NULL \
                AND (o.refused_until IS NULL OR o.refused_until <= $1) \
                AND NOT EXISTS (SELECT 1 FROM outbox r WHERE r.stream = o.stream \
                AND r.topic = o.topic AND r.published_at IS NULL AND r.refused_until > $1) \
                ORDER BY o.seq LIMIT $2";
    let due = statement(backend, text, [now.into(), most.into()]);
    Ok(outbox::Entity::find().from_raw_sql(due).all(database).await?)
}

/// A row on its way.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) seq: i64,
    pub(super) generation: i64,
    pub(super) created_at: i64,
    pub(super) refused_before: bool,
    /// Whether it carries a question.
    asks: bool,
    pub(super) topic: String,
    pub(super) stream: Option<String>,
    record: Option<Record>,
    /// Lives until the delivery report, so that it shows the hop.
    span: tracing::Span,
}

impl Outgoing {
    /// A due row as it is published at `now`, in microseconds since 1970.
    pub(super) fn new(
        messaging: &Messaging,
        row: outbox::Model,
        now: i64,
    ) -> Result<Self, Failure> {
        let span = spans::send(messaging, &row, now);
        let (key, headers) = match row.headers.as_deref() {
            Some(stored) => {
                let stored = StoredHeaders::parse(stored)?;
                (stored.key, stored.headers)
            }
            None => {
                let hop = traceparent_of(&span).or(row.traceparent);
                (row.stream.clone().map(String::into_bytes), event_headers(hop, row.ask))
            }
        };
        let record = Record { topic: row.topic.clone(), key, payload: row.payload, headers };
        Ok(Self {
            seq: row.seq,
            generation: row.generation,
            created_at: row.created_at,
            refused_before: row.refused_reason.is_some(),
            asks: row.ask,
            topic: row.topic,
            stream: row.stream,
            record: Some(record),
            span,
        })
    }

    /// The broker did not take it, or not now.
    pub(super) fn not_taken(&self, why: &str) {
        oms_telemetry::failed(&self.span, why);
    }

    /// The record, handed out once.
    pub(super) fn take_record(&mut self) -> Option<Record> {
        self.record.take()
    }

    /// What keeps an order: the rows of a stream on a topic. Rows without a stream keep none.
    pub(super) fn order(&self) -> Option<(String, String)> {
        self.stream.clone().map(|stream| (self.topic.clone(), stream))
    }
}

fn event_headers(traceparent: Option<String>, ask: bool) -> Vec<(String, Vec<u8>)> {
    let mut all = vec![(CONTENT_TYPE_HEADER.to_owned(), CONTENT_TYPE.into())];
    if let Some(traceparent) = traceparent {
        all.push((TRACEPARENT_HEADER.to_owned(), traceparent.into_bytes()));
    }
    if ask {
        all.push((ASK_HEADER.to_owned(), b"1".to_vec()));
    }
    all
}

/// Marks delivered rows, unless somebody wished to publish them again in the meantime.
pub(super) async fn mark(
    database: &DatabaseConnection,
    delivered: &[Outgoing],
    now: i64,
) -> Result<(), Failure> {
    let by_generation = by_generation(delivered.iter());
    let backend = database.get_database_backend();
    let rows = numbers(backend, 3);
    // A row that is locked is being resent: its mark would be void, and waiting for it a deadlock.
    let free = match backend {
        DatabaseBackend::Postgres => {
            format!("(SELECT seq FROM outbox WHERE seq IN {rows} FOR UPDATE SKIP LOCKED)")
        }
        _ => rows,
    };
    let text = format!(
        "UPDATE outbox SET published_at = $1, ask = FALSE, refused_until = NULL, \
         refused_reason = NULL WHERE generation = $2 AND seq IN {free}"
    );
    for (generation, rows) in by_generation {
        let values = [now.into(), generation.into(), number_list(backend, rows)];
        database.execute_raw(statement(backend, text.clone(), values)).await?;
    }
    asked(database, delivered).await
}

fn by_generation<'a>(rows: impl Iterator<Item = &'a Outgoing>) -> BTreeMap<i64, Vec<i64>> {
    let mut found = BTreeMap::<i64, Vec<i64>>::new();
    for row in rows {
        found.entry(row.generation).or_default().push(row.seq);
    }
    found
}

/// Notes that questions were asked, even if their rows were made due again meanwhile: or what is an
/// answer would be sent as a question, and two services could ask each other for ever.
async fn asked(database: &DatabaseConnection, delivered: &[Outgoing]) -> Result<(), Failure> {
    let backend = database.get_database_backend();
    let text = format!(
        "UPDATE outbox SET ask = FALSE WHERE ask AND ask_generation <= $1 AND seq IN {}",
        numbers(backend, 2)
    );
    for (generation, rows) in by_generation(delivered.iter().filter(|row| row.asks)) {
        let values = [generation.into(), number_list(backend, rows)];
        database.execute_raw(statement(backend, text.clone(), values)).await?;
    }
    Ok(())
}

/// Lets rows the broker did not take now wait, and with each its stream, so that what waits behind
/// other partitions is not held up by them.
pub(super) async fn postpone(
    database: &DatabaseConnection,
    rows: &[Outgoing],
    until: i64,
) -> Result<(), Failure> {
    let backend = database.get_database_backend();
    let text = format!(
        "UPDATE outbox SET refused_until = $1 WHERE published_at IS NULL AND seq IN {}",
        numbers(backend, 2)
    );
    let values = [until.into(), number_list(backend, rows.iter().map(|row| row.seq))];
    database.execute_raw(statement(backend, text, values)).await?;
    Ok(())
}

/// Lets a refused row, and with it its stream, wait.
pub(super) async fn refuse(
    database: &DatabaseConnection,
    row: &Outgoing,
    until: i64,
    reason: &str,
) -> Result<(), Failure> {
    let text = "UPDATE outbox SET refused_until = $1, refused_reason = $2 \
                WHERE seq = $3 AND published_at IS NULL";
    let values = [until.into(), reason.into(), row.seq.into()];
    let backend = database.get_database_backend();
    database.execute_raw(statement(backend, text, values)).await?;
    Ok(())
}
