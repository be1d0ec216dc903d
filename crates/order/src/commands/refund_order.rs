//! RefundOrder: money goes back, and the call waits for the outcome.

use oms_messaging::{Failure, Tx};
use sea_orm::DatabaseTransaction;

use super::{
    CommandError, Context, Keyed, Patience, Reply,
    context::cause,
    run_call::{Begun, Wish, run_call},
};
use crate::domain::{Money, Order, Refund, RefundState, Refusal, Status};

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
#[tracing::instrument(
    level = "debug",
    name = "command",
    skip_all,
    fields(otel.name = "RefundOrder", oms.service = "order", oms.order_id = order_id)
)]
pub async fn refund_order(
    context: &Context,
    order_id: String,
    wish: RefundOrder,
    keyed: Option<Keyed<GivenBack>>,
    patience: Patience,
) -> Result<Reply<GivenBack>, CommandError> {
    run_call(context, order_id, wish, keyed, patience).await
}

impl Wish for RefundOrder {
    type Done = GivenBack;

    fn begin(&self, order: &mut Order, tx: &Tx) -> Result<Begun<GivenBack>, Refusal> {
        let Self { amount, reason, expected_version } = self;
        order.expect_version(*expected_version)?;
        let refund_id = tx.next_id();
        order.request_refund(refund_id, *amount, reason, &cause(tx))?;
        Ok(Begun::Run(refund_id.to_string()))
    }

    async fn outcome(
        &self,
        _: &DatabaseTransaction,
        order: &Order,
        refund_id: &str,
    ) -> Result<Option<Result<GivenBack, Refusal>>, Failure> {
        Ok(order.refund(refund_id).and_then(|refund| outcome_of(order, refund)))
    }

    fn still_running(&self) -> CommandError {
        CommandError::StillRefunding
    }
}
