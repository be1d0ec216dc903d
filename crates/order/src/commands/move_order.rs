//! MoveOrder: an order goes on to a stage, by whatever command leads there.

use super::{
    CommandError, Context, Keyed, Patience, Reply,
    at_once::{StatusNow, Target, at_once},
    cancel_order::{CancelOrder, cancel_order},
    complete_order::{CompleteOrder, complete_order},
    pay_and_wait::pay_and_wait,
    ship_order::{ShipOrder, ship_order},
};
use crate::{
    domain::{Refusal, Stage, Status},
    store::load_orders,
};

/// Where to, and how to pay for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoveOrder {
    /// Where the order is to stand.
    pub to: Stage,
    /// How to pay when it comes to that; the default method when absent.
    pub method: Option<String>,
}

/// Takes an order to a stage: Processing pays it and waits for the outcome as long as `patience`
/// lasts, after which it goes on alone; Shipped ships it, Completed closes it, Cancelled cancels
/// it. Where it stands already nothing is done, and that is no error.
///
/// # Errors
/// [`CommandError::NotFound`]; [`CommandError::Refused`] with [`Refusal::StageNotAllowed`], with
/// why it could not be paid, or with [`Refusal::Busy`] when a ship waited too long;
/// [`CommandError::KeyConflict`], [`CommandError::KeyRunning`], [`CommandError::TooManyWaiting`],
/// and failures of the store.
#[tracing::instrument(
    level = "debug",
    name = "command",
    skip_all,
    fields(otel.name = "MoveOrder", oms.service = "order", oms.order_id = order_id)
)]
pub async fn move_order(
    context: &Context,
    order_id: String,
    wish: MoveOrder,
    keyed: Option<Keyed<StatusNow>>,
    patience: Patience,
) -> Result<Reply<StatusNow>, CommandError> {
    let (id, expected_version) = (order_id.clone(), None);
    let moved = match wish.to {
        Stage::Pending => stay(context, id, keyed, &patience).await,
        Stage::Processing => pay_and_wait(context, id, wish.method, keyed, patience).await,
        Stage::Shipped => {
            ship_order(context, id, ShipOrder { expected_version }, keyed, patience).await
        }
        Stage::Completed => {
            complete_order(context, id, CompleteOrder { expected_version }, keyed, patience).await
        }
        Stage::Cancelled => {
            let wish = CancelOrder { reason: String::new(), expected_version };
            cancel_order(context, id, wish, keyed, patience).await
        }
    };
    match moved {
        // It began: the caller has its way, and learns of the outcome from the order.
        Err(CommandError::StillPaying) => {
            Ok(Reply::Fresh(StatusNow { order_id, status: Status::Pending }))
        }
        Err(CommandError::Refused(refusal)) if is_about_status(&refusal) => {
            where_it_stands(context, order_id, wish.to).await
        }
        done => done,
    }
}

/// Nothing leads back to Pending.
async fn stay(
    context: &Context,
    order_id: String,
    keyed: Option<Keyed<StatusNow>>,
    patience: &Patience,
) -> Result<Reply<StatusNow>, CommandError> {
    let target = Target { order_id, expected_version: None, keyed, patience };
    at_once(context, target, |order, _| match order.stage() {
        Stage::Pending => Ok(order.shown_status()),
        _ => Err(order.cannot_become(Stage::Pending)),
    })
    .await
}

/// Whether the order refused because of where it stands.
fn is_about_status(refusal: &Refusal) -> bool {
    matches!(
        refusal,
        Refusal::NotPending
            | Refusal::NotCancelable(_)
            | Refusal::NotShippable(_)
            | Refusal::NotCompletable(_)
    )
}

/// A command was refused: the order may stand there in other words (everything refunded is
/// Cancelled too); else it is told in the stages' words. Nothing was done, so that nothing has to
/// be remembered.
async fn where_it_stands(
    context: &Context,
    order_id: String,
    to: Stage,
) -> Result<Reply<StatusNow>, CommandError> {
    let found = load_orders(&context.read, std::slice::from_ref(&order_id)).await?;
    let order = found.get(&order_id).ok_or(CommandError::NotFound)?;
    if order.stage() == to {
        return Ok(Reply::Fresh(StatusNow { order_id, status: order.shown_status() }));
    }
    Err(order.cannot_become(to).into())
}
