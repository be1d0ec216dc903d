//! CompleteOrder: delivered and closed.

use super::{
    CommandError, Context, Keyed, Patience, Reply,
    at_once::{StatusNow, Target, at_once},
    context::cause,
};

/// Of which version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompleteOrder {
    /// Refuse unless the order has this version.
    pub expected_version: Option<i32>,
}

/// Closes a SHIPPED order at once. Completing again is no error.
///
/// # Errors
/// [`CommandError::NotFound`]; [`CommandError::Refused`] when its goods have not left or the order
/// is dead; [`CommandError::KeyConflict`]; [`CommandError::KeyRunning`] when `patience`
/// ends before the key's first call; failures of the store.
#[tracing::instrument(
    level = "debug",
    name = "command",
    skip_all,
    fields(otel.name = "CompleteOrder", oms.service = "order", oms.order_id = order_id)
)]
pub async fn complete_order(
    context: &Context,
    order_id: String,
    wish: CompleteOrder,
    keyed: Option<Keyed<StatusNow>>,
    patience: Patience,
) -> Result<Reply<StatusNow>, CommandError> {
    let expected_version = wish.expected_version;
    let target = Target { order_id, expected_version, keyed, patience: &patience };
    at_once(context, target, |order, tx| {
        order.complete(&cause(tx))?;
        Ok(order.shown_status())
    })
    .await
}
