//! Locked streams within one transaction (rule 1: the stream's row comes first).

use std::collections::BTreeMap;

use sea_orm::{
    ConnectionTrait, DatabaseBackend, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, sea_query::OnConflict,
};

use crate::{
    Failure,
    sql::{insert, one_of},
    tables::streams,
};

/// The row of a stream of which nothing was ever said.
fn fresh(id: String) -> streams::Model {
    streams::Model { id, sequence: 0, parked: false, ask_at: None, ask_attempt: 0, ended_at: None }
}

/// Somebody works on a stream that this transaction does not hold.
pub(crate) fn not_locked(id: &str) -> Failure {
    Failure::Unclassified(format!("stream {id} is not locked"))
}

/// The rows of streams this transaction holds, and what it changed of them.
#[derive(Debug, Default)]
pub struct LockedStreams {
    rows: BTreeMap<String, (streams::Model, bool)>,
}

impl LockedStreams {
    /// Locks the streams' rows in sorted order, then inserts those that are new. Streams already
    /// held are skipped; a later call must only name streams that sort after all held ones, or
    /// deadlock becomes possible (PostgreSQL then fails one of the two as transient).
    pub(crate) async fn lock(
        &mut self,
        conn: &DatabaseTransaction,
        ids: impl IntoIterator<Item = String>,
    ) -> Result<(), Failure> {
        let mut wanted: Vec<String> =
            ids.into_iter().filter(|id| !self.rows.contains_key(id)).collect();
        wanted.sort_unstable();
        wanted.dedup();
        if wanted.is_empty() {
            return Ok(());
        }
        self.select(conn, wanted.clone()).await?;
        wanted.retain(|id| !self.rows.contains_key(id));
        if wanted.is_empty() {
            return Ok(());
        }
        let new = wanted.iter().map(|id| streams::ActiveModel::from(fresh(id.clone())));
        let keep = OnConflict::column(streams::Column::Id).do_nothing().to_owned();
        insert(conn, new.collect(), Some(keep)).await?;
        self.select(conn, wanted).await
    }

    /// Holds a stream that nobody else can know of yet; its row is written at commit.
    pub(crate) fn begin(&mut self, id: String) {
        self.rows.entry(id.clone()).or_insert((fresh(id), true));
    }

    async fn select(
        &mut self,
        conn: &DatabaseTransaction,
        ids: Vec<String>,
    ) -> Result<(), Failure> {
        let backend = conn.get_database_backend();
        let mut select = streams::Entity::find()
            .filter(one_of(backend, streams::Column::Id, ids))
            .order_by_asc(streams::Column::Id);
        if backend == DatabaseBackend::Postgres {
            select = select.lock_exclusive();
        }
        for row in select.all(conn).await? {
            self.rows.insert(row.id.clone(), (row, false));
        }
        Ok(())
    }

    /// Whether no stream is held yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The row of a held stream.
    pub(crate) fn get(&self, id: &str) -> Option<&streams::Model> {
        self.rows.get(id).map(|(row, _)| row)
    }

    /// The row of a held stream, to be changed; it is written at commit.
    pub(crate) fn change(&mut self, id: &str) -> Result<&mut streams::Model, Failure> {
        let (row, dirty) = self.rows.get_mut(id).ok_or_else(|| not_locked(id))?;
        *dirty = true;
        Ok(row)
    }

    /// Writes every changed row in one statement.
    pub(crate) async fn flush(&mut self, conn: &DatabaseTransaction) -> Result<(), Failure> {
        let changed: Vec<streams::ActiveModel> = self
            .rows
            .values_mut()
            .filter_map(|(row, dirty)| std::mem::take(dirty).then(|| row.clone().into()))
            .collect();
        use streams::Column as C;
        let replace = OnConflict::column(C::Id)
            .update_columns([C::Sequence, C::Parked, C::AskAt, C::AskAttempt, C::EndedAt])
            .to_owned();
        insert(conn, changed, Some(replace)).await?;
        Ok(())
    }
}
