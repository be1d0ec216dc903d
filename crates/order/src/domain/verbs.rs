//! What customers, and time, may do to an order.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    By, Cause, Fact, Milestone, Money, Order, Refund, RefundState, Refusal, Run, RunKind,
    RunOutcome, Status, StatusReason, StepEnd,
    table::{self, CancelVerdict, PayVerdict, RefundVerdict},
    timeline::Happening,
};

/// What [`Order::pay`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paying {
    /// The pay run begins now.
    Started,
    /// A pay run goes on already; this is where it stands. Nothing was changed.
    Running(Status),
}

/// What [`Order::cancel`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Canceling {
    /// The order is cancelled now.
    Canceled,
    /// It was cancelled before. Nothing was changed.
    Already,
}

impl Order {
    /// Refuses when the caller expected another version.
    ///
    /// # Errors
    /// [`Refusal::VersionMismatch`].
    pub fn expect_version(&self, expected: Option<i32>) -> Result<(), Refusal> {
        match expected {
            Some(expected) if expected != self.version() => {
                Err(Refusal::VersionMismatch { expected, actual: self.version() })
            }
            _ => Ok(()),
        }
    }

    /// Refuses when the caller expected it to be as it was at another instant.
    ///
    /// # Errors
    /// [`Refusal::UpdatedMeanwhile`].
    pub fn expect_updated_at(&self, expected: Option<DateTime<Utc>>) -> Result<(), Refusal> {
        match expected {
            Some(expected) if expected != self.updated_at() => Err(Refusal::UpdatedMeanwhile),
            _ => Ok(()),
        }
    }

    /// Begins the pay run: reserve, pay, confirm, until `deadline`.
    ///
    /// # Errors
    /// [`Refusal::InventoryUnavailable`] or [`Refusal::PaymentDeclined`] when an earlier run failed
    /// so, else [`Refusal::NotPending`].
    pub fn pay(
        &mut self,
        method: &str,
        saga_id: Uuid,
        deadline: DateTime<Utc>,
        cause: &Cause,
    ) -> Result<Paying, Refusal> {
        match table::pay(self.status(), self.run_kind()) {
            PayVerdict::Start => {}
            PayVerdict::Running => return Ok(Paying::Running(self.status())),
            PayVerdict::Refused => return Err(Refusal::NotPending),
            PayVerdict::RefusedByReason => return Err(self.why_not_paid()),
        }
        method.clone_into(&mut self.state.payment_method);
        self.state.revision += 1;
        self.state.saga_id = Some(saga_id);
        self.state.run = Some(Run::Pay { saga_id, deadline, started_at: cause.at });
        self.state.trace_id.clone_from(&cause.trace_id);
        self.say(Fact::Submitted {
            saga_id,
            revision: self.state.revision,
            lines: self.state.lines.clone(),
            total: self.total(),
            method: method.to_owned(),
            deadline,
        });
        self.reach(Milestone::RunStarted);
        Ok(Paying::Started)
    }

    /// Why a pay run that has ended did not come to CONFIRMED.
    #[must_use]
    pub fn why_not_paid(&self) -> Refusal {
        match self.status_reason().map(|reason| reason.code.as_str()) {
            Some(StatusReason::INVENTORY_UNAVAILABLE) => Refusal::InventoryUnavailable,
            Some(StatusReason::PAYMENT_DECLINED) => Refusal::PaymentDeclined,
            _ => Refusal::NotPending,
        }
    }

    /// Cancels for the customer. Always wins over an open pay or amend run; an open refund run goes
    /// on and ends by its own answer.
    ///
    /// # Errors
    /// [`Refusal::NotCancelable`] once it was shipped or everything was given back.
    pub fn cancel(&mut self, reason: &str, cause: &Cause) -> Result<Canceling, Refusal> {
        match table::cancel(self.status(), self.run_kind()) {
            CancelVerdict::Cancel => {}
            CancelVerdict::Already => return Ok(Canceling::Already),
            CancelVerdict::Refused => return Err(Refusal::NotCancelable(self.status())),
        }
        let message = if reason.is_empty() { "canceled by the customer" } else { reason };
        self.cancel_now(By::Customer, StatusReason::CUSTOMER, message, "", cause);
        Ok(Canceling::Canceled)
    }

    /// Cancels when the pay run is past its deadline. `true` when it did.
    pub fn deadline_passed(&mut self, cause: &Cause) -> bool {
        let Some(Run::Pay { deadline, .. }) = self.run() else { return false };
        if *deadline > cause.at {
            return false;
        }
        let message = "payment was not completed in time";
        self.cancel_now(By::Deadline, StatusReason::DEADLINE_EXCEEDED, message, "", cause);
        true
    }

    pub(super) fn cancel_now(
        &mut self,
        by: By,
        code: &str,
        message: &str,
        detail: &str,
        cause: &Cause,
    ) {
        if let Some(Run::Pay { started_at, .. }) = self.state.run {
            self.end_step(StepEnd::of(code), cause.at);
            let outcome =
                if by == By::Customer { RunOutcome::Canceled } else { RunOutcome::Failed };
            let lasted = cause.at - started_at;
            self.state.run = None;
            self.reach(Milestone::RunEnded { outcome, lasted });
        }
        self.drop_amendment(cause);
        let reason = StatusReason { code: code.to_owned(), message: message.to_owned() };
        self.state.status = Status::Canceled;
        self.write(&Happening::Canceled { reason: &reason, detail }, cause);
        self.state.status_reason = Some(reason);
        let saga_id = self.state.saga_id;
        self.say(Fact::Canceled { saga_id, code: code.to_owned(), by });
    }

    /// Begins a refund run over `amount`, or over everything that is left. Returns how much.
    ///
    /// # Errors
    /// [`Refusal::NotRefundable`] in the wrong status or with nothing left, [`Refusal::Busy`] while
    /// another run is open, and what is wrong with the amount.
    pub fn request_refund(
        &mut self,
        refund_id: Uuid,
        amount: Option<Money>,
        reason: &str,
        cause: &Cause,
    ) -> Result<Money, Refusal> {
        if let Some(amount) = amount {
            if amount.currency() != self.currency() {
                return Err(Refusal::RefundCurrency);
            }
            if amount.minor() <= 0 {
                return Err(Refusal::RefundNotPositive);
            }
        }
        match table::refund(self.status(), self.run_kind(), self.is_closed()) {
            RefundVerdict::Start => {}
            RefundVerdict::Busy => return Err(Refusal::Busy),
            RefundVerdict::Refused => return Err(Refusal::NotRefundable),
        }
        let most = self.refundable();
        if most.minor() == 0 {
            return Err(Refusal::NotRefundable);
        }
        let amount = amount.unwrap_or(most);
        if amount.minor() > most.minor() {
            return Err(Refusal::RefundTooHigh);
        }
        let id = refund_id.to_string();
        self.write(&Happening::RefundRequested { refund_id: &id, amount, reason }, cause);
        self.state.run = Some(Run::Refund { refund_id, started_at: cause.at });
        self.state.trace_id.clone_from(&cause.trace_id);
        self.state.refunds.push(Refund {
            id,
            amount,
            state: RefundState::Open,
            reason: reason.to_owned(),
            code: String::new(),
            asked_at: cause.at,
            ended_at: None,
        });
        self.say(Fact::RefundRequested { refund_id, amount, reason: reason.to_owned() });
        Ok(amount)
    }

    /// Whether a refund run is open.
    #[must_use]
    pub fn is_refunding(&self) -> bool {
        self.run_kind() == RunKind::Refund
    }
}
