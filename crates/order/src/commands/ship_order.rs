//! ShipOrder: the goods leave, unless all their money is on its way back.

use super::{
    CommandError, Context, Keyed, Patience, Reply,
    at_once::{StatusNow, Target, in_key_turn},
    context::cause,
};
use crate::domain::Refusal;

/// Of which version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShipOrder {
    /// Refuse unless the order has this version.
    pub expected_version: Option<i32>,
}

/// Ships a CONFIRMED order and answers at once; inventory books the goods out afterwards. While a
/// refund run for all that is left is open it waits for its end as long as `patience` lasts. When
/// the caller has gone nobody wants the outcome any more, and nothing is shipped. Shipping again is
/// no error.
///
/// # Errors
/// [`CommandError::NotFound`]; [`CommandError::Refused`] when the order is not CONFIRMED, or with
/// [`Refusal::Busy`] when the run did not end in time or the caller has gone;
/// [`CommandError::KeyConflict`], [`CommandError::KeyRunning`], [`CommandError::TooManyWaiting`],
/// and failures of the store.
#[tracing::instrument(
    level = "debug",
    name = "command",
    skip_all,
    fields(otel.name = "ShipOrder", oms.service = "order", oms.order_id = order_id)
)]
pub async fn ship_order(
    context: &Context,
    order_id: String,
    wish: ShipOrder,
    keyed: Option<Keyed<StatusNow>>,
    patience: Patience,
) -> Result<Reply<StatusNow>, CommandError> {
    let call = Call { context, order_id, wish, keyed, patience };
    // Kept while it waits: equal calls stand behind this one.
    let _turn = context.key_turn(call.keyed.as_ref(), &call.patience).await?;
    // Without a turn first: refunds that wait for one another do not hinder it.
    match call.ship().await {
        Err(CommandError::Refused(Refusal::Busy)) => call.in_turn().await,
        done => done,
    }
}

/// One call on its way.
struct Call<'a> {
    context: &'a Context,
    order_id: String,
    wish: ShipOrder,
    keyed: Option<Keyed<StatusNow>>,
    patience: Patience,
}

impl Call<'_> {
    async fn ship(&self) -> Result<Reply<StatusNow>, CommandError> {
        let target = Target {
            order_id: self.order_id.clone(),
            expected_version: self.wish.expected_version,
            keyed: self.keyed.clone(),
            patience: &self.patience,
        };
        in_key_turn(self.context, target, |order, tx| {
            if self.patience.caller_has_gone() {
                return Err(Refusal::Busy);
            }
            order.ship(&cause(tx))?;
            Ok(order.shown_status())
        })
        .await
    }

    /// Tries until nothing hinders it, while every later call for this order stands behind.
    async fn in_turn(&self) -> Result<Reply<StatusNow>, CommandError> {
        let mut waiter = self.context.changes.watch(&self.order_id)?;
        let turn = self.patience.wait_for(waiter.turn()).await;
        let _turn = turn.ok_or(CommandError::Refused(Refusal::Busy))?;
        loop {
            match self.ship().await {
                Err(CommandError::Refused(Refusal::Busy)) => {
                    let ended = self.patience.wait_for(waiter.changed()).await;
                    ended.ok_or(CommandError::Refused(Refusal::Busy))?;
                }
                done => return done,
            }
        }
    }
}
