//! Parking: poison and what waits behind it, in one transaction (rule 4).
//!
//! The event goes into `parked`, its stream is marked, and its dead letter is a row of the outbox
//! like any other. Its inbox id is not claimed: the redrive that applies it claims it.

use chrono::SecondsFormat;
use sea_orm::{
    ActiveValue::{NotSet, Set},
    EntityTrait,
    sea_query::OnConflict,
};
use std::sync::Arc;

use super::{
    Step,
    batch::{self, Engine},
    inbox,
    incoming::{Incoming, clean},
};
use crate::{
    Failure, Messaging, Reactor, Tx,
    headers::StoredHeaders,
    tables::{outbox, parked},
};

/// Longest text of a failure that is kept and sent on, in bytes.
pub(super) const MESSAGE_BYTES_MAX: usize = 1_000;

/// The reason of an event that only waits behind a dead letter.
pub(super) const BEHIND: &str = "parked_behind";

/// Why an event is poison, and after how many tries.
#[derive(Debug)]
pub(super) struct Poison {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) tries: u32,
}

impl<R: Reactor> Engine<R> {
    /// Parks an event behind its marked stream, or, with `poison`, marks the stream and writes the
    /// dead letter.
    pub(super) async fn park(
        &self,
        record: &Arc<Incoming>,
        group: &str,
        poison: Option<&Poison>,
    ) -> Result<Step, Failure> {
        let mut step = Step { handled: 1, ..Step::default() };
        let mut tx = self.messaging.begin().await?;
        tx.lock(record.stream.clone()).await?;
        step.answered = batch::answer(&mut tx, std::slice::from_ref(record)).await?;
        if let Some(stream) = &record.stream {
            tx.hear(stream, false)?;
        }
        let marked = record.stream.as_deref().is_some_and(|stream| tx.is_parked(stream));
        // Also of a record that is no event: whoever discarded it claimed what makes it one.
        let applied = inbox::holds(&tx, &record.identity).await?;
        match poison {
            _ if applied => step.duplicates = 1,
            None if !marked => return Err(Failure::transient("the stream was unmarked just now")),
            Some(poison) if !marked => {
                // Parked before or not, nothing of its stream may pass it.
                if let Some(stream) = &record.stream {
                    tx.set_parked(stream, true)?;
                }
                if insert(&tx, record, poison.code, &poison.message).await? {
                    let row = dead_letter(&self.messaging, &tx, record, group, poison)?;
                    tx.append(row);
                    (step.parked, step.dead_letters) = (1, 1);
                }
            }
            _ => {
                let why = poison.map_or("waits behind a dead letter", |p| p.message.as_str());
                step.parked = u64::from(insert(&tx, record, BEHIND, why).await?);
            }
        }
        batch::commit(tx).await?;
        Ok(step)
    }
}

/// Inserts the parked row; false when it is parked already.
async fn insert(tx: &Tx, record: &Incoming, reason: &str, message: &str) -> Result<bool, Failure> {
    let at = &record.delivery.partition;
    let row = parked::ActiveModel {
        seq: NotSet,
        identity: Set(record.identity.clone()),
        stream: Set(record.stream.clone()),
        event_type: Set(record.event_type.clone()),
        topic: Set(at.topic.clone()),
        partition: Set(at.number),
        log_offset: Set(record.delivery.offset),
        payload: Set(record.delivery.record.payload.clone()),
        headers: Set(record.stored_headers().to_text()?),
        reason: Set(reason.to_owned()),
        message: Set(clean(message, MESSAGE_BYTES_MAX)),
        parked_at: Set(tx.now().timestamp_micros()),
    };
    let once = OnConflict::column(parked::Column::Identity).do_nothing().to_owned();
    let inserted = parked::Entity::insert_many([row])
        .on_conflict(once)
        .exec_without_returning(tx.conn())
        .await?;
    Ok(inserted > 0)
}

/// The dead letter: the record as it was, with headers that say where it was and what happened.
pub(super) fn dead_letter(
    messaging: &Messaging,
    tx: &Tx,
    record: &Incoming,
    group: &str,
    poison: &Poison,
) -> Result<outbox::ActiveModel, Failure> {
    let at = &record.delivery.partition;
    let StoredHeaders { key, mut headers } = record.stored_headers();
    let mut add = |name: &str, value: String| headers.push((name.to_owned(), value.into_bytes()));
    add("x-original-topic", at.topic.clone());
    add("x-original-partition", at.number.to_string());
    add("x-original-offset", record.delivery.offset.to_string());
    add("x-consumer-group", group.to_owned());
    add("x-retry-count", poison.tries.to_string());
    add("x-error-code", poison.code.to_owned());
    add("x-error-message", clean(&poison.message, MESSAGE_BYTES_MAX));
    add("x-failed-at", tx.now().to_rfc3339_opts(SecondsFormat::Micros, true));
    Ok(outbox::ActiveModel {
        seq: NotSet,
        id: Set(tx.next_id().to_string()),
        topic: Set(messaging.dead_letter_topic().to_owned()),
        stream: Set(record.stream.clone()),
        event_type: Set(String::new()),
        payload: Set(record.delivery.record.payload.clone()),
        headers: Set(Some(StoredHeaders { key, headers }.to_text()?)),
        traceparent: Set(None),
        created_at: Set(tx.now().timestamp_micros()),
        published_at: Set(None),
        generation: Set(0),
        ask: Set(false),
        ask_generation: Set(0),
        refused_until: Set(None),
        refused_reason: Set(None),
    })
}
