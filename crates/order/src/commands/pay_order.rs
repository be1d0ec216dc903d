//! PayOrder: the pay run begins.

use chrono::TimeDelta;

use super::{
    CommandError, Context, Keyed, Patience, Reply,
    at_once::{StatusNow, Target, at_once},
    context::cause,
};
use crate::domain::{Paying, Status};

/// How to pay when the caller does not say.
pub const DEFAULT_PAYMENT_METHOD: &str = "pm_card_visa";

/// The payment methods there are.
pub const PAYMENT_METHODS: [&str; 6] = [
    DEFAULT_PAYMENT_METHOD,
    "pm_card_declined",
    "pm_card_insufficient_funds",
    "pm_card_slow",
    "pm_card_timeout",
    "pm_refund_fails",
];

/// How to pay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayOrder {
    /// One of [`PAYMENT_METHODS`].
    pub method: String,
    /// Refuse unless the order has this version.
    pub expected_version: Option<i32>,
}

/// Begins the pay run and answers at once. While the run goes on it begins nothing and answers
/// where it stands.
///
/// # Errors
/// [`CommandError::NotFound`]; [`CommandError::Refused`] with why the order cannot be paid, or why
/// an earlier run failed; [`CommandError::KeyConflict`]; [`CommandError::KeyRunning`] when
/// `patience` ends before the key's first call; failures of the store.
#[tracing::instrument(
    level = "debug",
    name = "command",
    skip_all,
    fields(otel.name = "PayOrder", oms.service = "order", oms.order_id = order_id)
)]
pub async fn pay_order(
    context: &Context,
    order_id: String,
    wish: PayOrder,
    keyed: Option<Keyed<StatusNow>>,
    patience: Patience,
) -> Result<Reply<StatusNow>, CommandError> {
    let lasts = i64::try_from(context.settings.run_deadline_s).unwrap_or(i64::MAX / 1_000);
    let expected_version = wish.expected_version;
    let target = Target { order_id, expected_version, keyed, patience: &patience };
    at_once(context, target, |order, tx| {
        let deadline = tx.now() + TimeDelta::seconds(lasts);
        Ok(match order.pay(&wish.method, tx.next_id(), deadline, &cause(tx))? {
            Paying::Started => Status::Pending,
            Paying::Running(status) => status,
        })
    })
    .await
}
