//! Asking: a service that waits and hears nothing says everything again, the last with a question
//! (rule 10). This is what heals a log that lost something.

use std::{collections::BTreeMap, future::pending, time::Duration};

use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseBackend, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    ConsumerStatus, Failure, Messaging, MessagingMetrics,
    backoff::{delay, micros_after},
    sql::{statement, text_list, texts},
    tables::streams,
};

/// Streams that the ask at start sets in one transaction.
const START_ROWS_MAX: usize = 500;

/// Asks about the streams whose silence has lasted too long. Needs no lease: whoever locks a
/// stream first asks, the next one sees that it was done.
#[derive(Debug)]
pub struct Asker {
    messaging: Messaging,
    metrics: MessagingMetrics,
    /// How the service's own consumer stands, where it is known.
    consumer: Option<watch::Receiver<ConsumerStatus>>,
    /// How far the ask at start has come by id; absent once it is done.
    starting: Option<String>,
    /// A stream that waits since this asker began has its first question after this: the ask at
    /// start is not about it, or a fresh order would be told twice.
    before: i64,
}

impl Asker {
    /// An asker over a service's streams.
    #[must_use]
    pub fn new(messaging: Messaging, metrics: MessagingMetrics) -> Self {
        let now = messaging.seams().clock.now();
        let before = micros_after(now, messaging.settings().ask_after_ms);
        Self { messaging, metrics, consumer: None, starting: Some(String::new()), before }
    }

    /// Follows the service's own consumer: while that is really behind, silence says nothing, for
    /// the answer may already be on the log, and every ask would make more to read.
    #[must_use]
    pub fn following(mut self, consumer: watch::Receiver<ConsumerStatus>) -> Self {
        self.consumer = Some(consumer);
        self
    }

    /// Lets every waiting stream be asked about now: at start, because what was said while this
    /// service was away may be lost. Streams that somebody works on at this moment are left out.
    /// Returns their number.
    ///
    /// # Errors
    /// Any failure of the store; some may be set then.
    pub async fn ask_all_waiting_now(&self) -> Result<u64, Failure> {
        self.ask_waiting(&mut String::new()).await
    }

    /// The same for the streams after `last`, which tells how far it came. In bounded chunks, so
    /// that nobody waits long for it, and without waiting for anybody itself.
    async fn ask_waiting(&self, last: &mut String) -> Result<u64, Failure> {
        let now = self.now();
        let mut set = 0;
        loop {
            let tx = self.messaging.begin().await?;
            let backend = tx.conn().get_database_backend();
            let postgres = backend == DatabaseBackend::Postgres;
            let lock = if postgres { "FOR UPDATE SKIP LOCKED" } else { "" };
            let select = format!(
                "SELECT id FROM streams WHERE ask_at > $1 AND id > $2 \
                 AND (ask_at <= $3 OR ask_attempt > 0) ORDER BY id LIMIT {START_ROWS_MAX} {lock}"
            );
            let values = [now.into(), last.clone().into(), self.before.into()];
            let rows = tx.conn().query_all_raw(statement(backend, select, values)).await?;
            let ids: Vec<String> =
                rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?;
            let Some(end) = ids.last().cloned() else { return Ok(set) };
            let whole = ids.len() == START_ROWS_MAX;
            let update = format!(
                "UPDATE streams SET ask_at = $1, ask_attempt = 0 WHERE id IN {}",
                texts(backend, 2)
            );
            let values = [now.into(), text_list(backend, ids)];
            let done = tx.conn().execute_raw(statement(backend, update, values)).await?;
            tx.commit().await?;
            set += done.rows_affected();
            *last = end;
            if !whole {
                return Ok(set);
            }
        }
    }

    /// One round: the ask at start, once that may be, and whatever comes of it, what is due.
    /// Returns how many were due.
    ///
    /// # Errors
    /// Any failure of the store; the next round makes up for it.
    pub async fn sweep(&mut self) -> Result<usize, Failure> {
        let started = self.start().await;
        let asked = self.step().await?;
        started.map(|()| asked)
    }

    async fn start(&mut self) -> Result<(), Failure> {
        let Some(mut last) = self.starting.clone().filter(|_| self.hears()) else { return Ok(()) };
        let done = self.ask_waiting(&mut last).await;
        self.starting = done.is_err().then_some(last);
        done.map(drop)
    }

    /// Asks about the streams that are due, up to `ask_batch_max`. Returns how many were due.
    ///
    /// # Errors
    /// Any failure of the store; nothing was asked then.
    pub async fn step(&mut self) -> Result<usize, Failure> {
        let until = self.due_until();
        let due = self.due(until).await?;
        if due.is_empty() {
            return Ok(0);
        }
        let settings = self.messaging.settings();
        let mut tx = self.messaging.begin().await?;
        tx.lock(due.iter().cloned()).await?;
        let mut asked = Vec::new();
        for stream in due {
            if tx.held(&stream)?.ask_at.is_some_and(|at| at <= until) {
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

    fn now(&self) -> i64 {
        self.messaging.seams().clock.now().timestamp_micros()
    }

    /// Whether the consumer was more than two batches behind when it measured last.
    fn is_behind(&self, status: ConsumerStatus) -> bool {
        let batch = i64::try_from(self.messaging.settings().consume_batch_max).unwrap_or(i64::MAX);
        status.lag > batch.saturating_mul(2)
    }

    /// Whether answers would be heard soon: the consumer has partitions and is not behind.
    fn hears(&self) -> bool {
        let status = self.consumer.as_ref().map(|consumer| *consumer.borrow());
        status.is_none_or(|status| status.assigned && !self.is_behind(status))
    }

    /// Streams whose `ask_at` is not after this are due. While the consumer is behind, only what
    /// has been due for as long as two asks are ever apart.
    fn due_until(&self) -> i64 {
        let behind = self.consumer.as_ref().is_some_and(|c| self.is_behind(*c.borrow()));
        let longest = self.messaging.settings().ask_delay_ms_max.saturating_mul(1_000);
        let grace = if behind { i64::try_from(longest).unwrap_or(i64::MAX) } else { 0 };
        self.now().saturating_sub(grace)
    }

    async fn due(&self, until: i64) -> Result<Vec<String>, Failure> {
        Ok(streams::Entity::find()
            .select_only()
            .column(streams::Column::Id)
            .filter(streams::Column::AskAt.lte(until))
            .order_by_asc(streams::Column::AskAt)
            .limit(self.messaging.settings().ask_batch_max)
            .into_tuple()
            .all(self.messaging.database())
            .await?)
    }

    /// Resolves once answers would be heard.
    async fn heard(&self) {
        let Some(mut consumer) = self.consumer.clone() else { return };
        let hears = |status: &ConsumerStatus| status.assigned && !self.is_behind(*status);
        if consumer.wait_for(hears).await.is_err() {
            pending::<()>().await;
        }
    }

    /// Asks about everything waiting at start, then whenever silence lasts, until stopped.
    ///
    /// # Errors
    /// None today; a store that is away is waited for.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), Failure> {
        let pause = Duration::from_millis(self.messaging.settings().ask_sweep_ms);
        let mut failing = false;
        loop {
            // A start that is put off needs no whole pause once the consumer hears.
            let put_off = self.starting.is_some() && !self.hears();
            // Said once per outage, not once per sweep.
            match self.sweep().await {
                Err(failure) if !failing => {
                    tracing::warn!(%failure, "cannot ask now; goes on trying");
                    failing = true;
                }
                Err(_) => {}
                Ok(_) => failing = false,
            }
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = self.heard(), if put_off => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}
