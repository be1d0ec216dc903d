//! Saying again: a stream's rows become due once more, in their order (rule 10).
//!
//! The generation rises with each wish to publish, also on rows that are due already: the relay
//! may have them in its hands, and its mark must not hide the newer wish.

use std::collections::BTreeMap;

use sea_orm::ConnectionTrait;

use crate::{
    Failure, Tx,
    sql::{statement, text_list, texts},
};

impl Tx {
    /// Makes every event this service said about the held stream due again. With `ask`, the last
    /// one carries the question; without, a question that is due already stays. Dead letters are
    /// not said again. Returns the number of rows.
    ///
    /// # Errors
    /// When the stream is not locked, or any failure of the store.
    pub async fn resend(&mut self, stream: &str, ask: bool) -> Result<u64, Failure> {
        Ok(self.resend_all(&[stream.to_owned()], ask).await?.values().sum())
    }

    /// [`Tx::resend`] for many held streams in one statement; rows by stream, streams without rows
    /// left out.
    pub(crate) async fn resend_all(
        &mut self,
        streams: &[String],
        ask: bool,
    ) -> Result<BTreeMap<String, u64>, Failure> {
        let mut resent = BTreeMap::new();
        if streams.is_empty() {
            return Ok(resent);
        }
        for stream in streams {
            self.held(stream)?;
        }
        // What this transaction said itself may be the last row.
        self.write_rows().await?;
        let backend = self.conn().get_database_backend();
        let mark_last = if ask {
            ", ask_generation = generation + 1, ask = (seq = (SELECT max(o.seq) FROM outbox o \
             WHERE o.topic = outbox.topic AND o.stream = outbox.stream))"
        } else {
            ""
        };
        let text = format!(
            "UPDATE outbox SET published_at = NULL, generation = generation + 1{mark_last} \
             WHERE topic = $1 AND stream IN {} RETURNING stream",
            texts(backend, 2)
        );
        let topic = self.messaging().topic().to_owned();
        let values = [topic.into(), text_list(backend, streams)];
        for row in self.conn().query_all_raw(statement(backend, text, values)).await? {
            *resent.entry(row.try_get_by_index::<String>(0)?).or_insert(0) += 1;
        }
        if !resent.is_empty() {
            self.wakes_relay();
        }
        Ok(resent)
    }
}
