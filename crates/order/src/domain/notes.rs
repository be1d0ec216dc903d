//! What other services' facts do to an order. Right without an inbox: the state decides.

use super::{
    AmendmentEnd, By, Cause, Compensation, Fact, HeardError, Milestone, Money, Noted, Order,
    Refund, RefundState, Run, RunOutcome, Status, StatusReason, StepEnd,
    table::{self, Effect, Fit, Heard, Verdict},
    timeline::Happening,
};

/// Payment's running totals, as each of its facts carries them (saga rule 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    /// The fact's `sequence`.
    pub sequence: i64,
    /// Taken so far, in minor units.
    pub captured_minor: i64,
    /// Given back so far, in minor units.
    pub refunded_minor: i64,
}

/// What came with a fact and an effect may need.
#[derive(Default)]
struct Details<'a> {
    refund_id: &'a str,
    amount: Option<Money>,
    code: &'a str,
    message: String,
}

impl Order {
    /// Inventory holds every line of the revision.
    ///
    /// # Errors
    /// [`HeardError::RevisionAhead`].
    pub fn note_reserved(&mut self, revision: i32, cause: &Cause) -> Result<Noted, HeardError> {
        self.note(Heard::Reserved(self.fit(revision)), None, Details::default(), cause)
    }

    /// Inventory cannot hold the revision; `detail` says what is missing.
    ///
    /// # Errors
    /// [`HeardError::RevisionAhead`].
    pub fn note_rejected(
        &mut self,
        revision: i32,
        detail: &str,
        cause: &Cause,
    ) -> Result<Noted, HeardError> {
        let details = Details { message: detail.to_owned(), ..Details::default() };
        self.note(Heard::Rejected(self.fit(revision)), None, details, cause)
    }

    /// The money of the revision was taken. Implies that the lines are held.
    ///
    /// # Errors
    /// [`HeardError::RevisionAhead`], and [`HeardError::OtherMoney`] when it is not what was due.
    pub fn note_captured(
        &mut self,
        revision: i32,
        amount: Money,
        totals: Totals,
        cause: &Cause,
    ) -> Result<Noted, HeardError> {
        let due = revision != self.revision() || self.is_due(amount);
        let fit = match self.fit(revision) {
            Fit::Ahead => Fit::Ahead,
            _ if amount.currency() != self.currency() || !due => Fit::OtherMoney,
            fit => fit,
        };
        let details = Details { amount: Some(amount), ..Details::default() };
        self.note(Heard::Captured(fit), Some(totals), details, cause)
    }

    /// The money of the revision was refused.
    ///
    /// # Errors
    /// [`HeardError::RevisionAhead`].
    pub fn note_declined(
        &mut self,
        revision: i32,
        code: &str,
        reason: &str,
        totals: Totals,
        cause: &Cause,
    ) -> Result<Noted, HeardError> {
        let details = Details { message: format!("{code}: {reason}"), ..Details::default() };
        self.note(Heard::Declined(self.fit(revision)), Some(totals), details, cause)
    }

    /// Money went back.
    ///
    /// # Errors
    /// [`HeardError::UnknownRefund`], and [`HeardError::OtherMoney`] when it is not what was asked.
    pub fn note_refunded(
        &mut self,
        refund_id: &str,
        amount: Money,
        totals: Totals,
        cause: &Cause,
    ) -> Result<Noted, HeardError> {
        let whose = self.whose(refund_id, amount);
        let details = Details { refund_id, amount: Some(amount), ..Details::default() };
        self.note(Heard::Refunded(whose), Some(totals), details, cause)
    }

    /// Money did not go back.
    ///
    /// # Errors
    /// [`HeardError::UnknownRefund`], and [`HeardError::OtherMoney`] when it is not what was asked.
    pub fn note_refund_failed(
        &mut self,
        refund_id: &str,
        amount: Money,
        code: &str,
        totals: Totals,
        cause: &Cause,
    ) -> Result<Noted, HeardError> {
        let whose = self.whose(refund_id, amount);
        let details = Details { refund_id, amount: Some(amount), code, ..Details::default() };
        self.note(Heard::RefundFailed(whose), Some(totals), details, cause)
    }

    /// The whole hold is gone, or there was none.
    ///
    /// # Errors
    /// None today; the table decides.
    pub fn note_released(&mut self, cause: &Cause) -> Result<Noted, HeardError> {
        self.note(Heard::Released, None, Details::default(), cause)
    }

    /// Nothing of the cancelled order is pending at the gateway any more.
    ///
    /// # Errors
    /// None today; the table decides.
    pub fn note_closed(&mut self, totals: Totals, cause: &Cause) -> Result<Noted, HeardError> {
        self.note(Heard::Closed, Some(totals), Details::default(), cause)
    }

    /// The shipment is booked out.
    ///
    /// # Errors
    /// None today; the table decides.
    pub fn note_dispatched(&mut self, cause: &Cause) -> Result<Noted, HeardError> {
        self.note(Heard::Dispatched, None, Details::default(), cause)
    }

    /// A hold has waited too long: an ask, unless the pay run is still open.
    ///
    /// # Errors
    /// [`HeardError::RevisionAhead`].
    pub fn note_reservation_expired(
        &mut self,
        revision: i32,
        cause: &Cause,
    ) -> Result<Noted, HeardError> {
        let heard = Heard::ReservationExpired(self.fit(revision));
        self.note(heard, None, Details::default(), cause)
    }

    /// Decides by the table, then takes the totals (always) and the effect.
    fn note(
        &mut self,
        heard: Heard,
        totals: Option<Totals>,
        details: Details<'_>,
        cause: &Cause,
    ) -> Result<Noted, HeardError> {
        let verdict = table::hear(self.status(), self.run_kind(), heard);
        if let Verdict::Refused(error) = verdict {
            return Err(error);
        }
        let learned = totals.is_some_and(|totals| self.take_totals(totals));
        let moved = match verdict {
            Verdict::Moved(effect) => self.take_effect(effect, &details, learned, cause),
            Verdict::Already | Verdict::Refused(_) => false,
            Verdict::Repeat => return Ok(Noted::Repeat),
        };
        Ok(if moved || learned { Noted::Moved } else { Noted::Already })
    }

    /// Takes payment's totals if they are the newest known. Guards I2: single facts never add up.
    fn take_totals(&mut self, totals: Totals) -> bool {
        let newer = totals.sequence > self.state.ledger.sequence;
        if newer {
            let currency = self.state.currency;
            self.state.ledger.sequence = totals.sequence;
            self.state.ledger.captured = Money::new(totals.captured_minor, currency);
            self.state.ledger.refunded = Money::new(totals.refunded_minor, currency);
        }
        newer
    }

    /// Whether it changed anything.
    fn take_effect(
        &mut self,
        effect: Effect,
        details: &Details<'_>,
        learned: bool,
        cause: &Cause,
    ) -> bool {
        let detail = details.message.as_str();
        let amount = details.amount.unwrap_or(Money::zero(self.currency()));
        match effect {
            Effect::Reserve => {
                self.end_step(StepEnd::Done, cause.at);
                self.become_status(Status::Reserved, cause);
            }
            Effect::Confirm => self.confirm(cause),
            Effect::CancelUnavailable => {
                let code = StatusReason::INVENTORY_UNAVAILABLE;
                self.cancel_now(By::Inventory, code, "inventory unavailable", detail, cause);
            }
            Effect::CancelDeclined => {
                let code = StatusReason::PAYMENT_DECLINED;
                self.cancel_now(By::Payment, code, "payment declined", detail, cause);
            }
            Effect::CancelExpired => {
                let code = StatusReason::RESERVATION_EXPIRED;
                self.cancel_now(By::Inventory, code, "the reservation expired", detail, cause);
            }
            Effect::AcceptAmendment => self.accept_amendment(cause),
            Effect::RefuseUnavailable => {
                self.refuse_amendment(AmendmentEnd::Unavailable, detail, cause);
            }
            Effect::RefuseDeclined => self.refuse_amendment(AmendmentEnd::Declined, detail, cause),
            Effect::RefuseNotGivenBack => {
                self.refuse_amendment(AmendmentEnd::NotGivenBack, details.code, cause);
            }
            Effect::EndRefund => self.end_refund(details, amount, cause),
            Effect::FailRefund => self.fail_refund(details, amount, cause),
            Effect::NoteCancelRefund => return self.note_cancel_refund(details, true, cause),
            Effect::NoteCancelRefundFailed => {
                return self.note_cancel_refund(details, false, cause);
            }
            Effect::NoteReleased => return self.mark_released(cause),
            Effect::NoteClosed => return self.mark_closed(cause),
            Effect::NoteDispatched => return self.mark_dispatched(),
            // Written once: a duplicate brings no newer totals. An amendment that costs the same
            // takes nothing, and there is nothing to tell of.
            Effect::NoteLateCapture if learned && amount.minor() > 0 => {
                self.write(&Happening::CapturedLate(amount), cause);
            }
            Effect::NoteLateDecrease if learned => {
                let refund_id = details.refund_id;
                self.write(&Happening::RefundSucceeded { refund_id, amount }, cause);
            }
            Effect::NoteLateCapture | Effect::NoteLateDecrease => return false,
        }
        true
    }

    fn confirm(&mut self, cause: &Cause) {
        self.end_step(StepEnd::Done, cause.at);
        if self.status() == Status::Pending {
            self.become_status(Status::Reserved, cause);
        }
        self.become_status(Status::Paid, cause);
        self.become_status(Status::Confirmed, cause);
        self.state.settled_revision = self.state.revision;
        if let Some(run) = self.state.run.take() {
            let lasted = cause.at - run.started_at();
            self.reach(Milestone::RunEnded { outcome: RunOutcome::Completed, lasted });
        }
        self.say(Fact::Confirmed {
            saga_id: self.state.saga_id,
            revision: self.state.revision,
            lines: self.state.lines.clone(),
            total: self.total(),
            accepted: true,
        });
    }

    fn end_refund(&mut self, details: &Details<'_>, amount: Money, cause: &Cause) {
        self.end_step(StepEnd::Done, cause.at);
        let Some(Run::Refund { refund_id, .. }) = self.state.run.take() else { return };
        self.end(details, RefundState::Succeeded, cause);
        self.write(&Happening::RefundSucceeded { refund_id: details.refund_id, amount }, cause);
        self.reach(Milestone::RefundEnded { succeeded: true });
        if self.status().is_in_force() && self.left().minor() == 0 {
            // Decided here, under the order's lock: inventory never infers it.
            let release = self.status() == Status::Confirmed;
            self.state.release_asked = release;
            self.become_status(Status::Refunded, cause);
            self.say(Fact::Refunded { refund_id, release });
        }
    }

    fn fail_refund(&mut self, details: &Details<'_>, amount: Money, cause: &Cause) {
        self.end_step(StepEnd::Refused, cause.at);
        self.state.run = None;
        self.end(details, RefundState::Failed, cause);
        let Details { refund_id, code, .. } = *details;
        self.write(&Happening::RefundFailed { refund_id, amount, code }, cause);
        self.reach(Milestone::RefundEnded { succeeded: false });
    }

    fn end(&mut self, details: &Details<'_>, state: RefundState, cause: &Cause) {
        let found = self.state.refunds.iter_mut().find(|refund| refund.id == details.refund_id);
        if let Some(refund) = found {
            refund.state = state;
            details.code.clone_into(&mut refund.code);
            refund.ended_at = Some(cause.at);
        }
    }

    fn note_cancel_refund(&mut self, details: &Details<'_>, ok: bool, cause: &Cause) -> bool {
        let Details { refund_id, code, .. } = *details;
        if self.refund(refund_id).is_some() {
            return false;
        }
        let amount = details.amount.unwrap_or(Money::zero(self.currency()));
        self.state.refunds.push(Refund {
            id: refund_id.to_owned(),
            amount,
            state: if ok { RefundState::Succeeded } else { RefundState::Failed },
            reason: String::new(),
            code: code.to_owned(),
            asked_at: cause.at,
            ended_at: Some(cause.at),
        });
        if ok {
            self.write(&Happening::RefundSucceeded { refund_id, amount }, cause);
            self.reach(Milestone::Compensated(Compensation::Money));
        } else {
            self.state.cancel_refund_failed = true;
            self.write(&Happening::RefundFailed { refund_id, amount, code }, cause);
        }
        true
    }

    fn mark_released(&mut self, cause: &Cause) -> bool {
        if self.state.released {
            return false;
        }
        self.state.released = true;
        if self.revision() > 0 {
            self.write(&Happening::StockReleased, cause);
            self.reach(Milestone::Compensated(Compensation::Stock));
        }
        true
    }

    fn mark_closed(&mut self, cause: &Cause) -> bool {
        if self.state.closed {
            return false;
        }
        self.state.closed = true;
        let kept = self.left();
        if kept.minor() > 0 {
            self.state.cancel_refund_failed = true;
            self.reach(Milestone::MoneyKept);
        }
        if self.revision() > 0 {
            self.write(&Happening::PaymentClosed { kept }, cause);
        }
        true
    }

    /// Not on the timeline: the goods left with `shipped`, this is inventory's bookkeeping.
    fn mark_dispatched(&mut self) -> bool {
        if self.state.dispatched || !self.has_shipped() {
            return false;
        }
        self.state.dispatched = true;
        true
    }
}
