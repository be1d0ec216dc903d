//! CancelOrder: always wins, before the goods have left.

use super::{
    CommandError, Context, Keyed, Patience, Reply,
    at_once::{StatusNow, Target, at_once},
    context::cause,
};

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
/// given back; [`CommandError::KeyConflict`]; [`CommandError::KeyRunning`] when `patience`
/// ends before the key's first call; failures of the store.
#[tracing::instrument(
    level = "debug",
    name = "command",
    skip_all,
    fields(otel.name = "CancelOrder", oms.service = "order", oms.order_id = order_id)
)]
pub async fn cancel_order(
    context: &Context,
    order_id: String,
    wish: CancelOrder,
    keyed: Option<Keyed<StatusNow>>,
    patience: Patience,
) -> Result<Reply<StatusNow>, CommandError> {
    let expected_version = wish.expected_version;
    let target = Target { order_id, expected_version, keyed, patience: &patience };
    at_once(context, target, |order, tx| {
        order.cancel(&wish.reason, &cause(tx))?;
        Ok(order.shown_status())
    })
    .await
}
