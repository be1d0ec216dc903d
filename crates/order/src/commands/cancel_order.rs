//! CancelOrder: always wins, before the goods have left.

use super::{
    CommandError, Context, Keyed, Reply, StatusNow,
    context::cause,
    keyed::{self, Claimed},
};
use crate::store::Session;

/// Why, and of which version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CancelOrder {
    /// The customer's words; may be empty.
    pub reason: String,
    /// Refuse unless the order has this version.
    pub expected_version: Option<i32>,
}

/// Cancels an order at once; stock and money go back afterwards. Cancelling again is no error.
///
/// # Errors
/// [`CommandError::NotFound`]; [`CommandError::Refused`] once it was shipped or everything was
/// given back; [`CommandError::KeyConflict`], and failures of the store.
pub async fn cancel_order(
    context: &Context,
    order_id: String,
    wish: CancelOrder,
    keyed: Option<Keyed<StatusNow>>,
) -> Result<Reply<StatusNow>, CommandError> {
    let mut tx = context.hold(&order_id).await?;
    match keyed::claim(&tx, keyed.as_ref()).await? {
        Claimed::New => {}
        Claimed::Answered(answer) => return Ok(context.replay(answer)),
        Claimed::Running => return Err(CommandError::KeyRunning),
    }
    let mut session = Session::load(&tx, std::slice::from_ref(&order_id)).await?;
    let order = session.order_mut(&order_id).ok_or(CommandError::NotFound)?;
    order.expect_version(wish.expected_version)?;
    order.cancel(&wish.reason, &cause(&tx))?;
    let outcome = StatusNow { order_id, status: order.shown_status() };
    let changed = session.save(&mut tx).await?;
    keyed::remember(&tx, keyed.as_ref(), &outcome).await?;
    context.commit(tx, changed).await?;
    Ok(Reply::Fresh(outcome))
}
