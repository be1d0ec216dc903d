//! Looking at letters, by pages.

use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
    sea_query::{Expr, ExprTrait},
};

use super::{
    DeadLetters, Letter, LetterFilter, WholeLetter,
    letter::{COLUMNS, Columns},
};
use crate::{
    Failure, Tx,
    headers::StoredHeaders,
    tables::parked::{self, Column as C},
};

impl DeadLetters {
    /// Up to `max` letters behind the number `after`, in the order of arrival.
    ///
    /// # Errors
    /// Any failure of the store.
    pub async fn list(
        &self,
        which: &LetterFilter,
        after: i64,
        max: u64,
    ) -> Result<Vec<Letter>, Failure> {
        let rows: Vec<Columns> = parked::Entity::find()
            .select_only()
            .columns(COLUMNS)
            .filter(which.condition())
            .filter(C::Seq.gt(after))
            .order_by_asc(C::Seq)
            .limit(max)
            .into_tuple()
            .all(self.messaging.database())
            .await?;
        Ok(rows.into_iter().map(Letter::from).collect())
    }

    /// A letter with all there is of it; none when it is not parked, or not any more.
    ///
    /// # Errors
    /// Any failure of the store.
    pub async fn whole(&self, id: i64) -> Result<Option<WholeLetter>, Failure> {
        let database = self.messaging.database();
        let Some(row) = parked::Entity::find_by_id(id).one(database).await? else {
            return Ok(None);
        };
        let behind = match &row.stream {
            Some(stream) => {
                let later = parked::Entity::find().filter(C::Stream.eq(stream));
                later.filter(C::Seq.gt(id)).count(database).await?
            }
            None => 0,
        };
        let StoredHeaders { key, headers } = StoredHeaders::parse(&row.headers)?;
        let letter = Letter::from(&row);
        Ok(Some(WholeLetter { letter, key, payload: row.payload, headers, behind }))
    }

    /// Streams of selected letters with the number of the first, and letters without a stream, each
    /// by itself.
    pub(super) async fn heads(
        &self,
        which: &LetterFilter,
        after: i64,
        max: u64,
    ) -> Result<Vec<(Option<String>, i64)>, Failure> {
        // One that has no stream is a group of its own.
        let group = "COALESCE(\"stream\", '#' || CAST(\"seq\" AS text))";
        Ok(parked::Entity::find()
            .select_only()
            .column_as(C::Stream.min(), "stream")
            .column_as(C::Seq.min(), "first")
            .filter(which.condition())
            .group_by(Expr::cust(group))
            .having(C::Seq.min().gt(after))
            .order_by_asc(C::Seq.min())
            .limit(max)
            .into_tuple()
            .all(self.messaging.database())
            .await?)
    }
}

/// Which parked row a transaction is about.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// The first of a stream: nothing may pass it.
    First(String),
    /// One, wherever it stands.
    One { id: i64, stream: Option<String> },
}

impl Target {
    /// What must be locked before the row is read.
    pub(super) fn stream(&self) -> Option<String> {
        match self {
            Self::First(stream) => Some(stream.clone()),
            Self::One { stream, .. } => stream.clone(),
        }
    }

    /// The row as it is now, its stream held; none when somebody else was faster.
    pub(super) async fn row(&self, tx: &Tx) -> Result<Option<parked::Model>, Failure> {
        let row = match self {
            Self::First(stream) => {
                let of_stream = parked::Entity::find().filter(C::Stream.eq(stream));
                of_stream.order_by_asc(C::Seq).limit(1).one(tx.conn()).await?
            }
            Self::One { id, .. } => parked::Entity::find_by_id(*id).one(tx.conn()).await?,
        };
        Ok(row)
    }
}

/// Whether anything of the stream is parked.
pub(super) async fn any_left(conn: &impl ConnectionTrait, stream: &str) -> Result<bool, Failure> {
    let of_stream = parked::Entity::find().filter(C::Stream.eq(stream));
    Ok(of_stream.limit(1).one(conn).await?.is_some())
}
