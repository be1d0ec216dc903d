//! CompleteOrder: delivered and closed.

use super::{
    CommandError, Context, Keyed, Reply,
    at_once::{StatusNow, at_once},
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
/// is dead; [`CommandError::KeyConflict`], and failures of the store.
pub async fn complete_order(
    context: &Context,
    order_id: String,
    wish: CompleteOrder,
    keyed: Option<Keyed<StatusNow>>,
) -> Result<Reply<StatusNow>, CommandError> {
    at_once(context, order_id, wish.expected_version, keyed, |order, tx| {
        order.complete(&cause(tx))?;
        Ok(order.shown_status())
    })
    .await
}
