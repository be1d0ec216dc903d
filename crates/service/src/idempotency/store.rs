//! Claims keys and remembers answers.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, OnConflict},
};
use tonic::{Code, Status};

use super::{
    key::IdempotencyKey,
    table::{ActiveModel, Column, Entity, Model},
};
use crate::refusal::status;

/// The first answer to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// OK, with the encoded response.
    Ok(Vec<u8>),
    /// The refusal of a run the call started.
    Refused {
        /// The status code's number.
        code: i32,
        /// The stable reason.
        reason: String,
        /// What people read.
        message: String,
    },
}

impl Answer {
    /// The response that was given, or the refusal.
    ///
    /// # Errors
    /// The remembered refusal; INTERNAL when the remembered response is not a `M`.
    #[allow(clippy::result_large_err, reason = "tonic's own error type")]
    pub fn decode<M: prost::Message + Default>(&self) -> Result<M, Status> {
        match self {
            Self::Ok(response) => M::decode(response.as_slice()).map_err(|error| {
                tracing::error!(%error, "a remembered response does not decode");
                crate::refusal::Refusal::internal().into()
            }),
            Self::Refused { code, reason, message } => {
                Err(status(Code::from_i32(*code), reason, message, &[], None))
            }
        }
    }
}

/// What a key is when a call comes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Never seen: do the work, then [`remember`] or [`pend`] in the same transaction.
    New,
    /// Answered: give the same answer.
    Replay(Answer),
    /// A call with this key has begun something that has not ended.
    Running,
    /// Used for another method or another message.
    Conflict,
}

/// Claims `key` inside the transaction of the effect. On PostgreSQL a concurrent call with the same
/// key waits here until the first commits; on SQLite it already waited for the transaction.
///
/// # Errors
/// Any failure of the store.
pub async fn claim(
    conn: &impl ConnectionTrait,
    key: &IdempotencyKey,
    now: DateTime<Utc>,
) -> Result<Claim, DbErr> {
    loop {
        let row = ActiveModel {
            scope: Set(key.scope.clone()),
            key: Set(key.key.clone()),
            method: Set(key.method.to_owned()),
            request_hash: Set(key.request_hash.clone()),
            code: NotSet,
            reason: NotSet,
            message: NotSet,
            response: NotSet,
            pending_on: NotSet,
            created_at: Set(now.timestamp_micros()),
        };
        let nothing = OnConflict::columns([Column::Scope, Column::Key]).do_nothing().to_owned();
        let inserted =
            Entity::insert(row).on_conflict(nothing).exec_without_returning(conn).await?;
        if inserted > 0 {
            return Ok(Claim::New);
        }
        // Gone between the two statements: swept, so claim it anew.
        if let Some(found) = look_up(conn, key).await? {
            return Ok(found);
        }
    }
}

/// What `key` is, without claiming it; `None` where it was never seen.
///
/// # Errors
/// Any failure of the store.
pub async fn look_up(
    conn: &impl ConnectionTrait,
    key: &IdempotencyKey,
) -> Result<Option<Claim>, DbErr> {
    let id = (key.scope.clone(), key.key.clone());
    let row = Entity::find_by_id(id).one(conn).await?;
    Ok(row.map(|row| claim_of(row, key)))
}

fn claim_of(row: Model, key: &IdempotencyKey) -> Claim {
    if row.method != key.method || row.request_hash != key.request_hash {
        return Claim::Conflict;
    }
    match (row.code, row.response) {
        (None, _) => Claim::Running,
        (Some(0), response) => Claim::Replay(Answer::Ok(response.unwrap_or_default())),
        (Some(code), _) => Claim::Replay(Answer::Refused {
            code,
            reason: row.reason.unwrap_or_default(),
            message: row.message.unwrap_or_default(),
        }),
    }
}

/// Keeps the answer to a claimed key, and counts its age from `now`.
///
/// # Errors
/// Any failure of the store.
pub async fn remember(
    conn: &impl ConnectionTrait,
    key: &IdempotencyKey,
    answer: &Answer,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let row = ActiveModel { created_at: Set(now.timestamp_micros()), ..answered(answer) };
    Entity::update_many()
        .set(row)
        .filter(Column::Scope.eq(&key.scope))
        .filter(Column::Key.eq(&key.key))
        .exec(conn)
        .await?;
    Ok(())
}

/// Says that the answer to a claimed key comes when `on` (a refund id, say) ends.
///
/// # Errors
/// Any failure of the store.
pub async fn pend(
    conn: &impl ConnectionTrait,
    key: &IdempotencyKey,
    on: &str,
) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::PendingOn, Expr::value(on))
        .filter(Column::Scope.eq(&key.scope))
        .filter(Column::Key.eq(&key.key))
        .exec(conn)
        .await?;
    Ok(())
}

/// Which of these (run ids, say) a key waits for.
///
/// # Errors
/// Any failure of the store.
pub async fn awaited(conn: &impl ConnectionTrait, on: &[String]) -> Result<Vec<String>, DbErr> {
    let found: Vec<Option<String>> = Entity::find()
        .select_only()
        .column(Column::PendingOn)
        .filter(Column::PendingOn.is_in(on))
        .into_tuple()
        .all(conn)
        .await?;
    Ok(found.into_iter().flatten().collect())
}

/// Gives `answer` to every key that waits for `on`, and counts its age from `now`; how many there
/// were. What they waited for may have taken longer than answers are kept.
///
/// # Errors
/// Any failure of the store.
pub async fn settle(
    conn: &impl ConnectionTrait,
    on: &str,
    answer: &Answer,
    now: DateTime<Utc>,
) -> Result<u64, DbErr> {
    let row = ActiveModel { created_at: Set(now.timestamp_micros()), ..answered(answer) };
    let settled =
        Entity::update_many().set(row).filter(Column::PendingOn.eq(on)).exec(conn).await?;
    Ok(settled.rows_affected)
}

fn answered(answer: &Answer) -> ActiveModel {
    let none = ActiveModel { pending_on: Set(None), ..Default::default() };
    match answer {
        Answer::Ok(response) => {
            ActiveModel { code: Set(Some(0)), response: Set(Some(response.clone())), ..none }
        }
        Answer::Refused { code, reason, message } => ActiveModel {
            code: Set(Some(*code)),
            reason: Set(Some(reason.clone())),
            message: Set(Some(message.clone())),
            ..none
        },
    }
}
