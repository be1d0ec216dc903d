//! Retention: what may be forgotten about streams that have ended.
//!
//! Rows and inbox ids are kept until the stream has ended here and the topic's retention has
//! passed since (rule 10): until then somebody may ask, or a duplicate may come. The stream's own
//! row stays.

use std::{collections::BTreeSet, time::Duration};

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use tokio_util::sync::CancellationToken;

use crate::{
    Failure, Messaging, Tx,
    sql::{statement, text_list, texts},
    tables::streams,
};

/// Deletes what nobody can need any more, a bounded batch at a time.
#[derive(Debug)]
pub struct Retention {
    messaging: Messaging,
}

impl Retention {
    /// Retention over a service's tables.
    #[must_use]
    pub fn new(messaging: Messaging) -> Self {
        Self { messaging }
    }

    /// Cleans up to `retention_batch_max` streams; returns how many.
    ///
    /// # Errors
    /// Any failure of the store; nothing was deleted then.
    pub async fn step(&mut self) -> Result<usize, Failure> {
        let limit = self.limit();
        let candidates = self.candidates(limit).await?;
        let mut tx = self.messaging.begin().await?;
        tx.lock(candidates.iter().cloned()).await?;
        let backend = tx.conn().get_database_backend();
        // Only under the lock is it certain: somebody may have said or asked something just now.
        let talking = unpublished(&tx, &candidates).await?;
        let mut ended = Vec::new();
        for stream in candidates {
            let row = tx.held(&stream)?;
            let quiet = !row.parked && row.ask_at.is_none() && !talking.contains(&stream);
            if quiet && row.ended_at.is_some_and(|at| at < limit) {
                ended.push(stream);
            }
        }
        let of_ended = texts(backend, 1);
        for text in [
            format!("DELETE FROM inbox WHERE stream IN {of_ended}"),
            format!("DELETE FROM outbox WHERE stream IN {of_ended} AND published_at IS NOT NULL"),
        ] {
            let values = [text_list(backend, &ended)];
            tx.conn().execute_raw(statement(backend, text, values)).await?;
        }
        let keyless = "DELETE FROM outbox WHERE stream IS NULL AND published_at < $1";
        tx.conn().execute_raw(statement(backend, keyless, [limit.into()])).await?;
        for stream in &ended {
            // Done; should the stream end once more, its retention begins anew.
            tx.stream(stream)?.ended_at = None;
        }
        tx.commit().await?;
        Ok(ended.len())
    }

    fn limit(&self) -> i64 {
        let hours = i64::try_from(self.messaging.settings().retention_hours).unwrap_or(i64::MAX);
        let now = self.messaging.seams().clock.now().timestamp_micros();
        now.saturating_sub(hours.saturating_mul(3_600_000_000))
    }

    /// Streams whose time has passed and whose every word is on the log.
    async fn candidates(&self, limit: i64) -> Result<Vec<String>, Failure> {
        let unpublished = "NOT EXISTS (SELECT 1 FROM outbox o \
                           WHERE o.stream = streams.id AND o.published_at IS NULL)";
        Ok(streams::Entity::find()
            .select_only()
            .column(streams::Column::Id)
            .filter(streams::Column::EndedAt.lt(limit))
            .filter(streams::Column::Parked.eq(false))
            .filter(sea_orm::sea_query::Expr::cust(unpublished))
            .order_by_asc(streams::Column::EndedAt)
            .limit(self.messaging.settings().retention_batch_max)
            .into_tuple()
            .all(self.messaging.database())
            .await?)
    }

    /// Cleans until stopped.
    ///
    /// # Errors
    /// None today; a store that is away is waited for.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), Failure> {
        let pause = Duration::from_millis(self.messaging.settings().retention_sweep_ms);
        let full = usize::try_from(self.messaging.settings().retention_batch_max);
        loop {
            match self.step().await {
                // More is waiting: no pause, but a chance to stop.
                Ok(cleaned) if full.is_ok_and(|full| cleaned >= full) && !stop.is_cancelled() => {
                    continue;
                }
                Ok(_) => {}
                Err(failure) => tracing::warn!(%failure, "retention waits for its next sweep"),
            }
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}

/// Those of the held streams of which a row is still to be published.
async fn unpublished(tx: &Tx, streams: &[String]) -> Result<BTreeSet<String>, Failure> {
    let backend = tx.conn().get_database_backend();
    let text = format!(
        "SELECT DISTINCT stream FROM outbox WHERE published_at IS NULL AND stream IN {}",
        texts(backend, 1)
    );
    let rows =
        tx.conn().query_all_raw(statement(backend, text, [text_list(backend, streams)])).await?;
    Ok(rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?)
}
