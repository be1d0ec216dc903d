//! Idempotency keys as commands use them.
//!
//! Guards I7: the key is claimed in the transaction of the effect, so that it is remembered exactly
//! when the effect is. Remembered are OK answers and the refusal of a run the call started; what
//! did nothing is rolled back together with the claim.

use chrono::{DateTime, Utc};
use oms_messaging::{Failure, Tx};
use oms_service::idempotency::{self, Answer, Claim, IdempotencyKey};
use sea_orm::ConnectionTrait;

use super::{CommandError, Context};
use crate::{domain::Order, store::Changed};

/// A caller's key, and how the answer it remembers is written.
#[derive(Clone, Debug)]
pub struct Keyed<T> {
    /// The key.
    pub key: IdempotencyKey,
    /// Encodes the answer of the transport the call came by.
    pub encode: fn(&T) -> Vec<u8>,
}

/// A part of what a call does that commits before the rest, and remembers an answer of its own.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    /// The lines are changed.
    Edit,
    /// The order is taken on.
    Move,
}

impl Part {
    const ALL: [Self; 2] = [Self::Edit, Self::Move];

    /// What its keys' scope has after the caller's.
    const fn suffix(self) -> &'static str {
        match self {
            Self::Edit => "/edit",
            Self::Move => "/move",
        }
    }
}

impl<T> Keyed<T> {
    /// The same key for a part. With the first part that is begun this key is claimed as well: it
    /// stands for one request from then on, whatever becomes of the rest.
    pub(super) fn part<U>(&self, part: Part, encode: fn(&U) -> Vec<u8>) -> Keyed<U> {
        let scope = format!("{}{}", self.key.scope, part.suffix());
        Keyed { key: IdempotencyKey { scope, ..self.key.clone() }, encode }
    }

    /// The key of the whole of which this is a part.
    fn whole(&self) -> Option<IdempotencyKey> {
        let of = |part: &Part| self.key.scope.strip_suffix(part.suffix());
        let scope = Part::ALL.iter().find_map(of)?.to_owned();
        Some(IdempotencyKey { scope, ..self.key.clone() })
    }
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

/// What is known of a key, without claiming it; `None` when that is nothing.
pub(super) async fn look_up<T>(
    conn: &impl ConnectionTrait,
    keyed: Option<&Keyed<T>>,
) -> Result<Option<Claimed>, CommandError> {
    let Some(Keyed { key, .. }) = keyed else { return Ok(None) };
    idempotency::look_up(conn, key).await?.map(Claimed::of).transpose()
}

/// The answer that the key remembers, for whoever wants to know it before anything else is looked
/// at.
///
/// # Errors
/// [`CommandError::KeyConflict`], and failures of the store.
pub async fn answered<T>(
    context: &Context,
    keyed: Option<&Keyed<T>>,
) -> Result<Option<Reply<T>>, CommandError> {
    Ok(match look_up(&context.read, keyed).await? {
        Some(Claimed::Answered(answer)) => Some(context.replay(answer)),
        _ => None,
    })
}

/// Claims the key, if there is one, within the transaction of the effect; that of a part together
/// with the whole's.
pub(super) async fn claim<T>(tx: &Tx, keyed: Option<&Keyed<T>>) -> Result<Claimed, CommandError> {
    let Some(keyed) = keyed else { return Ok(Claimed::New) };
    let claimed = Claimed::of(idempotency::claim(tx.conn(), &keyed.key, tx.now()).await?)?;
    let (Claimed::New, Some(whole)) = (&claimed, keyed.whole()) else { return Ok(claimed) };
    Ok(match Claimed::of(idempotency::claim(tx.conn(), &whole, tx.now()).await?)? {
        // An equal call of another instance has come to its end.
        Claimed::Answered(answer) => Claimed::Answered(answer),
        // Of an earlier part.
        Claimed::Running | Claimed::New => Claimed::New,
    })
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
