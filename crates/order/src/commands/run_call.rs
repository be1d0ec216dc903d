//! Calls that may begin a run and wait for its outcome.

use std::future::Future;

use oms_messaging::{Failure, Tx};
use oms_service::{idempotency, read_snapshot};
use sea_orm::DatabaseTransaction;

use super::{
    CommandError, Context, Keyed, Patience, Reply,
    keyed::{self, Claimed},
};
use crate::{
    changes::Waiter,
    domain::{Order, Refusal},
    store::{Session, load_orders},
};

/// What a call asks of its order.
pub(super) trait Wish: Sync {
    /// What it is told.
    type Done: Send + Sync;

    /// Does what can be done at once, or begins the run.
    fn begin(&self, order: &mut Order, tx: &Tx) -> Result<Begun<Self::Done>, Refusal>;

    /// What the run of that name came to; `None` while it is open.
    fn outcome(
        &self,
        conn: &DatabaseTransaction,
        order: &Order,
        run: &str,
    ) -> impl Future<Output = Result<Option<Result<Self::Done, Refusal>>, Failure>> + Send;

    /// The run began, and did not end in the caller's time.
    fn still_running(&self) -> CommandError;
}

/// What a wish came to in its transaction.
pub(super) enum Begun<T> {
    /// It is fulfilled.
    Done(T),
    /// A run is open. Under this name its outcome will be known, and the key's answer given.
    Run(String),
}

/// Fulfils a wish, and waits for its outcome as long as `patience` lasts; while another run is open
/// it waits for its end first. When the caller has gone nobody wants the outcome any more: what has
/// not begun then never begins, what has goes on without this call.
pub(super) async fn run_call<W: Wish>(
    context: &Context,
    order_id: String,
    wish: W,
    keyed: Option<Keyed<W::Done>>,
    patience: Patience,
) -> Result<Reply<W::Done>, CommandError> {
    let waiter = context.changes.watch(&order_id)?;
    let call = Call { context, order_id, wish, keyed, patience };
    call.run(waiter).await
}

/// One call on its way.
struct Call<'a, W: Wish> {
    context: &'a Context,
    order_id: String,
    wish: W,
    keyed: Option<Keyed<W::Done>>,
    patience: Patience,
}

/// What one try to begin came to.
enum Tried<T> {
    /// The run of this name has begun.
    Began(String),
    /// It was done at once.
    Done(T),
    /// The key has an answer.
    Answered(idempotency::Answer),
    /// The key's first call goes on.
    KeyRunning,
    /// Another run is open.
    Busy,
}

impl<W: Wish> Call<'_, W> {
    async fn run(&self, mut waiter: Waiter) -> Result<Reply<W::Done>, CommandError> {
        // Before the turn: an answer that is known needs none.
        let mut tried = self.look_up().await?;
        let run = loop {
            match tried {
                Some(Tried::Began(run)) => break run,
                Some(Tried::Done(done)) => return Ok(Reply::Fresh(done)),
                Some(Tried::Answered(answer)) => return Ok(self.context.replay(answer)),
                Some(Tried::KeyRunning) => {
                    let ended = self.patience.wait_for(waiter.changed()).await;
                    ended.ok_or(CommandError::KeyRunning)?;
                    tried = self.look_up().await?;
                }
                Some(Tried::Busy) | None => tried = Some(self.begin_in_turn(&mut waiter).await?),
            }
        };
        self.outcome(&run, &mut waiter).await
    }

    /// What is known of the key, without claiming it; `None` when that is nothing.
    async fn look_up(&self) -> Result<Option<Tried<W::Done>>, CommandError> {
        Ok(match keyed::look_up(&self.context.read, self.keyed.as_ref()).await? {
            None | Some(Claimed::New) => None,
            Some(Claimed::Answered(answer)) => Some(Tried::Answered(answer)),
            Some(Claimed::Running) => Some(Tried::KeyRunning),
        })
    }

    /// Tries until no other run is open, while every later call for this order stands behind.
    async fn begin_in_turn(&self, waiter: &mut Waiter) -> Result<Tried<W::Done>, CommandError> {
        let _key = self.context.key_turn(self.keyed.as_ref(), &self.patience).await?;
        // What an equal call has begun meanwhile needs no turn.
        if let Some(known) = self.look_up().await? {
            return Ok(known);
        }
        let turn = self.patience.wait_for(waiter.turn()).await;
        let _turn = turn.ok_or(CommandError::Refused(Refusal::Busy))?;
        loop {
            match self.begin().await? {
                Tried::Busy => {
                    let ended = self.patience.wait_for(waiter.changed()).await;
                    ended.ok_or(CommandError::Refused(Refusal::Busy))?;
                }
                tried => return Ok(tried),
            }
        }
    }

    async fn begin(&self) -> Result<Tried<W::Done>, CommandError> {
        let held = self.context.hold(&self.order_id, self.keyed.as_ref(), &self.patience).await;
        let (mut tx, claimed) = held?;
        if self.patience.caller_has_gone() {
            return Err(CommandError::Refused(Refusal::Busy));
        }
        match claimed {
            Claimed::New => {}
            Claimed::Answered(answer) => return Ok(Tried::Answered(answer)),
            Claimed::Running => return Ok(Tried::KeyRunning),
        }
        let mut session = Session::load(&tx, std::slice::from_ref(&self.order_id)).await?;
        let order = session.order_mut(&self.order_id).ok_or(CommandError::NotFound)?;
        let begun = match self.wish.begin(order, &tx) {
            Ok(begun) => begun,
            Err(Refusal::Busy) => return Ok(Tried::Busy),
            Err(refusal) => return Err(refusal.into()),
        };
        let changed = session.save(&mut tx).await?;
        let tried = match begun {
            Begun::Done(done) => {
                keyed::remember(&tx, self.keyed.as_ref(), &done).await?;
                Tried::Done(done)
            }
            Begun::Run(run) => {
                self.pend(&tx, &run).await?;
                Tried::Began(run)
            }
        };
        self.context.commit(tx, changed).await?;
        Ok(tried)
    }

    /// The key's answer comes with the run's end, in the transaction that learns of it.
    async fn pend(&self, tx: &Tx, run: &str) -> Result<(), CommandError> {
        if let Some(Keyed { key, .. }) = &self.keyed {
            idempotency::pend(tx.conn(), key, run).await?;
        }
        Ok(())
    }

    /// From here on the run goes on, whatever becomes of this call: a store that fails now must not
    /// read as "nothing was done".
    async fn outcome(
        &self,
        run: &str,
        waiter: &mut Waiter,
    ) -> Result<Reply<W::Done>, CommandError> {
        loop {
            match self.look_at(run).await {
                Ok(Some(reply)) => return Ok(reply),
                Err(CommandError::Store(failure)) => {
                    tracing::debug!(%failure, "cannot look for a run's outcome now");
                }
                Err(refused) => return Err(refused),
                Ok(None) => {}
            }
            let changed = self.patience.wait_for(waiter.changed()).await;
            changed.ok_or_else(|| self.wish.still_running())?;
        }
    }

    async fn look_at(&self, run: &str) -> Result<Option<Reply<W::Done>>, CommandError> {
        if self.keyed.is_some() {
            // The key's answer is the answer: a later call will be given the same.
            return Ok(match self.look_up().await? {
                Some(Tried::Answered(answer)) => {
                    Some(Reply::Remembered { answer, replayed: false })
                }
                _ => None,
            });
        }
        let ids = std::slice::from_ref(&self.order_id);
        // One snapshot: a status from before a cancellation and an outcome from after it would
        // answer what never was.
        let snapshot = read_snapshot(&self.context.read).await?;
        let orders = load_orders(&snapshot, ids).await?;
        let outcome = match orders.get(&self.order_id) {
            Some(order) => self.wish.outcome(&snapshot, order, run).await?,
            None => None,
        };
        snapshot.commit().await?;
        match outcome {
            Some(outcome) => Ok(Some(Reply::Fresh(outcome?))),
            None => Ok(None),
        }
    }
}
