//! Asking: a service that waits and hears nothing says everything again, the last with a question
//! (rule 10). This is what heals a log that lost something.

use std::{collections::BTreeMap, time::Duration};

use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseBackend, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use tokio_util::sync::CancellationToken;

use crate::{
    Failure, Messaging, MessagingMetrics,
    backoff::{delay, micros_after},
    sql::statement,
    tables::streams,
};

/// Asks about the streams whose silence has lasted too long. Needs no lease: whoever locks a
/// stream first asks, the next one sees that it was done.
#[derive(Debug)]
pub struct Asker {
    messaging: Messaging,
    metrics: MessagingMetrics,
}

impl Asker {
    /// An asker over a service's streams.
    #[must_use]
    pub fn new(messaging: Messaging, metrics: MessagingMetrics) -> Self {
        Self { messaging, metrics }
    }

    /// Lets every waiting stream be asked about now: at start, because what was said while this
    /// service was away may be lost. Returns their number.
    ///
    /// # Errors
    /// Any failure of the store.
    pub async fn ask_all_waiting_now(&self) -> Result<u64, Failure> {
        let database = self.messaging.database();
        let backend = database.get_database_backend();
        // Locks in the order everybody locks in, so that no deadlock arises.
        let lock = if backend == DatabaseBackend::Postgres { "FOR UPDATE" } else { "" };
        let text = format!(
            "UPDATE streams SET ask_at = $1, ask_attempt = 0 WHERE id IN \
             (SELECT id FROM streams WHERE ask_at > $1 ORDER BY id {lock})"
        );
        let now = self.messaging.seams().clock.now().timestamp_micros();
        Ok(database.execute_raw(statement(backend, text, [now.into()])).await?.rows_affected())
    }

    /// Asks about the streams that are due, up to `ask_batch_max`. Returns how many were due.
    ///
    /// # Errors
    /// Any failure of the store; nothing was asked then.
    pub async fn step(&mut self) -> Result<usize, Failure> {
        let due = self.due().await?;
        if due.is_empty() {
            return Ok(0);
        }
        let settings = self.messaging.settings();
        let mut tx = self.messaging.begin().await?;
        tx.lock(due.iter().cloned()).await?;
        let now = tx.now().timestamp_micros();
        let mut asked = Vec::new();
        for stream in due {
            if tx.held(&stream)?.ask_at.is_some_and(|at| at <= now) {
                asked.push(stream);
            }
        }
        let resent = tx.resend_all(&asked, true).await?;
        let at = tx.now();
        for stream in &asked {
            let row = tx.stream(stream)?;
            row.ask_attempt = row.ask_attempt.saturating_add(1);
            let attempt = u32::try_from(row.ask_attempt).unwrap_or(1).saturating_add(1);
            let wait = delay(attempt, settings.ask_after_ms, settings.ask_delay_ms_max);
            row.ask_at =
                Some(micros_after(at, u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)));
        }
        tx.commit().await?;
        self.note(&resent);
        Ok(asked.len())
    }

    fn note(&self, resent: &BTreeMap<String, u64>) {
        self.metrics.asked(resent.len() as u64);
        for (stream, rows) in resent {
            tracing::info!(order_id = stream, rows, "nothing heard: said all again and asked");
        }
    }

    async fn due(&self) -> Result<Vec<String>, Failure> {
        let now = self.messaging.seams().clock.now().timestamp_micros();
        Ok(streams::Entity::find()
            .select_only()
            .column(streams::Column::Id)
            .filter(streams::Column::AskAt.lte(now))
            .order_by_asc(streams::Column::AskAt)
            .limit(self.messaging.settings().ask_batch_max)
            .into_tuple()
            .all(self.messaging.database())
            .await?)
    }

    /// Asks about everything waiting at start, then whenever silence lasts, until stopped.
    ///
    /// # Errors
    /// None today; a store that is away is waited for.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), Failure> {
        let pause = Duration::from_millis(self.messaging.settings().ask_sweep_ms);
        let mut started = false;
        let mut failing = false;
        loop {
            let swept = if started { Ok(0) } else { self.ask_all_waiting_now().await };
            let swept = match swept {
                Ok(_) => {
                    started = true;
                    self.step().await.map(|_| ())
                }
                Err(failure) => Err(failure),
            };
            // Said once per outage, not once per sweep.
            match swept {
                Err(failure) if !failing => {
                    tracing::warn!(%failure, "cannot ask now; goes on trying");
                    failing = true;
                }
                Err(_) => {}
                Ok(()) => failing = false,
            }
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}
