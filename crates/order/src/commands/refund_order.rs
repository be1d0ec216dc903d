//! RefundOrder: money goes back, and the call waits for the outcome.

use oms_messaging::Tx;
use oms_service::{idempotency, read_snapshot};

use super::{CommandError, Context, Keyed, Patience, Reply, context::cause, keyed::Claimed};
use crate::{
    changes::Waiter,
    domain::{Money, Order, Refund, RefundState, Refusal, Status},
    store::{Session, load_orders},
};

/// How much to give back, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundOrder {
    /// How much; everything that is left when absent.
    pub amount: Option<Money>,
    /// The customer's words; may be empty.
    pub reason: String,
    /// Refuse unless the order has this version.
    pub expected_version: Option<i32>,
}

/// Money went back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenBack {
    /// The order.
    pub order_id: String,
    /// The status callers see.
    pub status: Status,
    /// What this call gave back, in minor units.
    pub amount_minor: i64,
}

/// What a refund came to; `None` while it is open.
///
/// # Errors
/// [`Refusal::RefundFailed`] when payment could not give the money back.
pub fn outcome_of(order: &Order, refund: &Refund) -> Option<Result<GivenBack, Refusal>> {
    match refund.state {
        RefundState::Open => None,
        RefundState::Succeeded => Some(Ok(GivenBack {
            order_id: order.id().to_string(),
            status: order.shown_status(),
            amount_minor: refund.amount.minor(),
        })),
        RefundState::Failed => Some(Err(Refusal::RefundFailed)),
    }
}

/// Begins a refund and waits for its outcome as long as `patience` lasts; while another run is open
/// it waits for its end first. When the caller has gone nobody wants the outcome any more: what has
/// not begun then never begins, what has goes on without this call.
///
/// # Errors
/// [`CommandError::NotFound`]; [`CommandError::Refused`] with what is wrong, with [`Refusal::Busy`]
/// when the other run did not end in time or the caller has gone, with [`Refusal::RefundFailed`]
/// when the refund began and failed; [`CommandError::StillRefunding`] when it began and did not end
/// in time; [`CommandError::KeyConflict`], [`CommandError::KeyRunning`], and failures of the store.
pub async fn refund_order(
    context: &Context,
    order_id: String,
    wish: RefundOrder,
    keyed: Option<Keyed<GivenBack>>,
    patience: Patience,
) -> Result<Reply<GivenBack>, CommandError> {
    let waiter = context.changes.watch(&order_id)?;
    let call = Call { context, order_id, wish, keyed, patience };
    call.run(waiter).await
}

/// One call on its way.
struct Call<'a> {
    context: &'a Context,
    order_id: String,
    wish: RefundOrder,
    keyed: Option<Keyed<GivenBack>>,
    patience: Patience,
}

/// What one try to begin came to.
enum Tried {
    /// The refund of this id has begun.
    Began(String),
    /// The key has an answer.
    Answered(idempotency::Answer),
    /// The key's first call goes on.
    KeyRunning,
    /// Another run is open.
    Busy,
}

impl Call<'_> {
    async fn run(&self, mut waiter: Waiter) -> Result<Reply<GivenBack>, CommandError> {
        // Before the turn: an answer that is known needs none.
        let mut tried = self.look_up().await?;
        let refund_id = loop {
            match tried {
                Some(Tried::Began(refund_id)) => break refund_id,
                Some(Tried::Answered(answer)) => return Ok(self.context.replay(answer)),
                Some(Tried::KeyRunning) => {
                    let ended = self.patience.wait_for(waiter.changed()).await;
                    ended.ok_or(CommandError::KeyRunning)?;
                    tried = self.look_up().await?;
                }
                Some(Tried::Busy) | None => tried = Some(self.begin_in_turn(&mut waiter).await?),
            }
        };
        self.outcome(&refund_id, &mut waiter).await
    }

    /// What is known of the key, without claiming it; `None` when that is nothing.
    async fn look_up(&self) -> Result<Option<Tried>, CommandError> {
        let Some(Keyed { key, .. }) = &self.keyed else { return Ok(None) };
        let Some(claim) = idempotency::look_up(&self.context.read, key).await? else {
            return Ok(None);
        };
        Ok(match Claimed::of(claim)? {
            Claimed::New => None,
            Claimed::Answered(answer) => Some(Tried::Answered(answer)),
            Claimed::Running => Some(Tried::KeyRunning),
        })
    }

    /// Tries until no other run is open, while every later call for this order stands behind.
    async fn begin_in_turn(&self, waiter: &mut Waiter) -> Result<Tried, CommandError> {
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

    async fn begin(&self) -> Result<Tried, CommandError> {
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
        let RefundOrder { amount, reason, expected_version } = &self.wish;
        order.expect_version(*expected_version)?;
        let refund_id = tx.next_id();
        match order.request_refund(refund_id, *amount, reason, &cause(&tx)) {
            Ok(_) => {}
            Err(Refusal::Busy) => return Ok(Tried::Busy),
            Err(refusal) => return Err(refusal.into()),
        }
        let refund_id = refund_id.to_string();
        let changed = session.save(&mut tx).await?;
        self.pend(&tx, &refund_id).await?;
        self.context.commit(tx, changed).await?;
        Ok(Tried::Began(refund_id))
    }

    /// The key's answer comes with the refund's end, in the transaction that learns of it.
    async fn pend(&self, tx: &Tx, refund_id: &str) -> Result<(), CommandError> {
        if let Some(Keyed { key, .. }) = &self.keyed {
            idempotency::pend(tx.conn(), key, refund_id).await?;
        }
        Ok(())
    }

    /// From here on the refund runs, whatever becomes of this call: a store that fails now must not
    /// read as "nothing was done".
    async fn outcome(
        &self,
        refund_id: &str,
        waiter: &mut Waiter,
    ) -> Result<Reply<GivenBack>, CommandError> {
        loop {
            match self.look_at(refund_id).await {
                Ok(Some(reply)) => return Ok(reply),
                Err(CommandError::Store(failure)) => {
                    tracing::debug!(%failure, "cannot look for a refund's outcome now");
                }
                Err(refused) => return Err(refused),
                Ok(None) => {}
            }
            let changed = self.patience.wait_for(waiter.changed()).await;
            changed.ok_or(CommandError::StillRefunding)?;
        }
    }

    async fn look_at(&self, refund_id: &str) -> Result<Option<Reply<GivenBack>>, CommandError> {
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
        // One snapshot: a status from before a cancellation and a refund from after it would answer
        // what never was.
        let snapshot = read_snapshot(&self.context.read).await?;
        let orders = load_orders(&snapshot, ids).await?;
        snapshot.commit().await?;
        let order = orders.get(&self.order_id);
        match order.and_then(|order| outcome_of(order, order.refund(refund_id)?)) {
            Some(outcome) => Ok(Some(Reply::Fresh(outcome?))),
            None => Ok(None),
        }
    }
}
