//! Idempotency keys as commands use them.
//!
//! Guards I7: the key is claimed in the transaction of the effect, so that it is remembered exactly
//! when the effect is. Remembered are OK answers and the refusal of a run the call started; what
//! did nothing is rolled back together with the claim.

use chrono::{DateTime, Utc};
use oms_messaging::{Failure, Tx};
use oms_service::idempotency::{self, Answer, Claim, IdempotencyKey};
use sea_orm::ConnectionTrait;

use super::CommandError;
use crate::{domain::Order, store::Changed};

/// A caller's key, and how the answer it remembers is written.
#[derive(Clone, Debug)]
pub struct Keyed<T> {
    /// The key.
    pub key: IdempotencyKey,
    /// Encodes the answer of the transport the call came by.
    pub encode: fn(&T) -> Vec<u8>,
}

/// What a command answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply<T> {
    /// The command's own outcome.
    Fresh(T),
    /// What the key remembers.
    Remembered {
        /// The first answer.
        answer: Answer,
        /// Whether an earlier call was given it, or would have been.
        replayed: bool,
    },
}

/// What a claimed key means for the call.
#[derive(Debug)]
pub(super) enum Claimed {
    /// Go on.
    New,
    /// Give this answer.
    Answered(Answer),
    /// Wait for the call that began.
    Running,
}

impl Claimed {
    pub(super) fn of(claim: Claim) -> Result<Self, CommandError> {
        match claim {
            Claim::New => Ok(Self::New),
            Claim::Replay(answer) => Ok(Self::Answered(answer)),
            Claim::Running => Ok(Self::Running),
            Claim::Conflict => Err(CommandError::KeyConflict),
        }
    }
}

/// Claims the key, if there is one, within the transaction of the effect.
pub(super) async fn claim<T>(tx: &Tx, keyed: Option<&Keyed<T>>) -> Result<Claimed, CommandError> {
    match keyed {
        None => Ok(Claimed::New),
        Some(keyed) => Claimed::of(idempotency::claim(tx.conn(), &keyed.key, tx.now()).await?),
    }
}

/// Remembers an OK answer within the transaction of the effect.
pub(super) async fn remember<T>(
    tx: &Tx,
    keyed: Option<&Keyed<T>>,
    outcome: &T,
) -> Result<(), CommandError> {
    if let Some(Keyed { key, encode }) = keyed {
        let answer = Answer::Ok(encode(outcome));
        idempotency::remember(tx.conn(), key, &answer, tx.now()).await?;
    }
    Ok(())
}

/// How a transport writes the answer to a call that waited for an order's pay run; `None` while it
/// is open.
pub type RememberedRun = fn(&Order) -> Option<Answer>;

/// Gives the keys that wait for pay runs which `changed` tells to have ended their answers, within
/// the transaction that ended them. Most runs nobody waits for with a key: one look tells.
///
/// # Errors
/// Any failure of the store.
pub(crate) async fn settle_pay_runs(
    conn: &impl ConnectionTrait,
    changed: &[Changed],
    remembered: RememberedRun,
    now: DateTime<Utc>,
) -> Result<(), Failure> {
    let ended = |changed: &Changed| changed.ended_pay_run.map(|run| run.to_string());
    let runs: Vec<String> = changed.iter().filter_map(ended).collect();
    if runs.is_empty() {
        return Ok(());
    }
    let awaited = idempotency::awaited(conn, &runs).await?;
    for one in changed {
        let run = ended(one).filter(|run| awaited.contains(run));
        if let Some((run, answer)) = run.zip(remembered(&one.order)) {
            idempotency::settle(conn, &run, &answer, now).await?;
        }
    }
    Ok(())
}
