//! The traces that a stream has left in the outbox, for whoever begins another one about it.

use std::collections::BTreeSet;

use sea_orm::ConnectionTrait;

use crate::{Failure, Tx, sql::statement};

/// Rows looked at.
const ROWS_MAX: i64 = 64;
/// Traces given.
const TRACES_MAX: usize = 8;

impl Tx {
    /// The W3C trace contexts in which this service said something about the held stream: one of
    /// each trace, the first said, oldest first, few of them.
    ///
    /// # Errors
    /// Any failure of the store.
    pub async fn earlier_traces(&self, stream: &str) -> Result<Vec<String>, Failure> {
        let backend = self.conn().get_database_backend();
        let text = "SELECT traceparent FROM outbox WHERE stream = $1 AND traceparent IS NOT NULL \
                    ORDER BY seq LIMIT $2";
        let read = statement(backend, text, [stream.into(), ROWS_MAX.into()]);
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        for row in self.conn().query_all_raw(read).await? {
            let traceparent: String = row.try_get_by_index(0)?;
            let trace = traceparent.split('-').nth(1).map(str::to_owned);
            if found.len() < TRACES_MAX && trace.is_some_and(|trace| seen.insert(trace)) {
                found.push(traceparent);
            }
        }
        Ok(found)
    }
}
