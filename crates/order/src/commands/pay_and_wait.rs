//! Pays an order, and waits for the outcome.

use chrono::TimeDelta;
use oms_messaging::{Failure, Tx};
use sea_orm::DatabaseTransaction;

use super::{
    CommandError, Context, Keyed, Patience, Reply,
    at_once::StatusNow,
    context::cause,
    pay_order::DEFAULT_PAYMENT_METHOD,
    run_call::{Begun, Wish, run_call},
};
use crate::domain::{Order, Refusal, RunKind, Stage};

/// What an order's pay run came to; `None` while it is open, and before there was one.
///
/// # Errors
/// Why it did not come to CONFIRMED.
pub fn outcome_of_pay_run(order: &Order) -> Option<Result<StatusNow, Refusal>> {
    if order.was_confirmed() {
        return Some(Ok(now(order)));
    }
    if order.run_kind() == RunKind::Pay || order.saga_id().is_none() {
        return None;
    }
    Some(Err(match order.why_not_paid() {
        Refusal::NotPending => order.cannot_become(Stage::Processing),
        why => why,
    }))
}

fn now(order: &Order) -> StatusNow {
    StatusNow { order_id: order.id().to_string(), status: order.shown_status() }
}

/// Begins the pay run, and waits for its outcome as long as `patience` lasts. From Processing on
/// nothing is begun, and where the order stands is the answer.
///
/// # Errors
/// [`CommandError::NotFound`]; [`CommandError::Refused`] with why the order cannot be paid, or was
/// not; [`CommandError::StillPaying`] when it began and did not end in time;
/// [`CommandError::KeyConflict`], [`CommandError::KeyRunning`], [`CommandError::TooManyWaiting`],
/// and failures of the store.
pub(super) async fn pay_and_wait(
    context: &Context,
    order_id: String,
    method: Option<String>,
    keyed: Option<Keyed<StatusNow>>,
    patience: Patience,
) -> Result<Reply<StatusNow>, CommandError> {
    let method = method.unwrap_or_else(|| DEFAULT_PAYMENT_METHOD.to_owned());
    let lasts = i64::try_from(context.settings.run_deadline_s).unwrap_or(i64::MAX / 1_000);
    run_call(context, order_id, Paying { method, lasts }, keyed, patience).await
}

struct Paying {
    method: String,
    /// How long the run may take, in seconds.
    lasts: i64,
}

impl Wish for Paying {
    type Done = StatusNow;

    fn begin(&self, order: &mut Order, tx: &Tx) -> Result<Begun<StatusNow>, Refusal> {
        if order.stage() == Stage::Processing {
            return Ok(Begun::Done(now(order)));
        }
        let saga_id = tx.next_id();
        let deadline = tx.now() + TimeDelta::seconds(self.lasts);
        order.pay(&self.method, saga_id, deadline, &cause(tx))?;
        Ok(Begun::Run(saga_id.to_string()))
    }

    async fn outcome(
        &self,
        _: &DatabaseTransaction,
        order: &Order,
        _: &str,
    ) -> Result<Option<Result<StatusNow, Refusal>>, Failure> {
        Ok(outcome_of_pay_run(order))
    }

    fn still_running(&self) -> CommandError {
        CommandError::StillPaying
    }
}
