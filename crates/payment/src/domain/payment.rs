//! The payment of one order: its verbs are the facts it hears and the outcomes it learns.

use std::ops::Deref;

use chrono::{DateTime, Utc};

use super::{
    Amended, Capture, Cause, Effect, Fact, Noted, Outcome, Progress, Refund, Refused, Said,
    Snapshot, State, amend_refund_id, amended_revision, cancel_refund_id,
};

/// The code of a refund there is no money for.
pub const NOTHING_LEFT: &str = "nothing_left";

/// The payment of one order. Reads as its [`Snapshot`]; changes only through its verbs, each of
/// which is right for duplicates, early and late facts without any inbox.
#[derive(Clone, Debug)]
pub struct Payment {
    is: Snapshot,
    said: Vec<Said>,
}

impl Deref for Payment {
    type Target = Snapshot;

    fn deref(&self) -> &Snapshot {
        &self.is
    }
}

impl Payment {
    /// A payment as it was kept.
    #[must_use]
    pub fn restore(snapshot: Snapshot) -> Self {
        Self { is: snapshot, said: Vec::new() }
    }

    /// What has become true since the last call, in order.
    pub fn take_said(&mut self) -> Vec<Said> {
        std::mem::take(&mut self.said)
    }

    /// Answered a revision and heard neither `confirmed` of that or a later one nor `canceled`
    /// (rule 10).
    #[must_use]
    pub fn waits(&self) -> bool {
        !self.is.closing && self.is.verdict_revision > self.is.concluded_revision
    }

    /// Closed, and nothing on its way.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.is.closed && !self.is.is_busy()
    }

    /// Order submitted a revision: notes what it costs. The first word about a revision counts.
    ///
    /// # Errors
    /// [`Refused`] for a negative total, another currency, or a revision below 1.
    pub fn note_submitted(
        &mut self,
        revision: i32,
        customer_id: &str,
        currency: &str,
        noted: Noted,
        cause: &Cause,
    ) -> Result<Effect, Refused> {
        if noted.total < noted.base {
            return Err(Refused::ImpossibleAmount { amount: noted.total - noted.base });
        }
        self.adopt_currency(currency)?;
        if self.capture(revision, cause)?.noted.is_some() {
            return Ok(Effect::Already);
        }
        if self.is.customer_id.is_empty() {
            customer_id.clone_into(&mut self.is.customer_id);
            self.is.method.clone_from(&noted.method);
        }
        if self.is.concluded_revision < revision {
            self.is.total = noted.total;
        }
        self.capture(revision, cause)?.noted = Some(noted);
        self.is.updated_at = cause.at;
        self.act(revision, cause);
        Ok(Effect::Moved)
    }

    /// Order wants other lines, for which the difference of two totals is to move: what the lines
    /// cost less what is in force, both as the event tells them. The first word about it counts.
    ///
    /// # Errors
    /// [`Refused`] for a total that no order has, another currency, or a revision below 2.
    pub fn note_amended(
        &mut self,
        revision: i32,
        currency: &str,
        amended: Amended,
        cause: &Cause,
    ) -> Result<Effect, Refused> {
        let Amended { total, settled, method } = amended;
        if revision < 2 {
            return Err(Refused::ImpossibleRevision(revision));
        }
        if let Some(amount) = [total, settled].into_iter().find(|amount| *amount <= 0) {
            return Err(Refused::ImpossibleAmount { amount });
        }
        self.adopt_currency(currency)?;
        let method = method.unwrap_or_else(|| self.is.method.clone());
        let capture = self.capture(revision, cause)?;
        if capture.noted.is_some() {
            return Ok(Effect::Already);
        }
        capture.noted = Some(Noted { total, base: settled, method });
        self.is.updated_at = cause.at;
        self.act(revision, cause);
        Ok(Effect::Moved)
    }

    /// Inventory holds the lines of a revision.
    ///
    /// # Errors
    /// [`Refused`] for a revision below 1.
    pub fn note_reserved(&mut self, revision: i32, cause: &Cause) -> Result<Effect, Refused> {
        let capture = self.capture(revision, cause)?;
        if std::mem::replace(&mut capture.reserved, true) {
            return Ok(Effect::Already);
        }
        self.is.updated_at = cause.at;
        self.act(revision, cause);
        Ok(Effect::Moved)
    }

    /// Order says what is in force: nothing more is started for this or an earlier revision.
    ///
    /// # Errors
    /// [`Refused`] for another currency or a revision below 1.
    pub fn note_confirmed(
        &mut self,
        revision: i32,
        currency: &str,
        total: i64,
        cause: &Cause,
    ) -> Result<Effect, Refused> {
        if revision < 1 {
            return Err(Refused::ImpossibleRevision(revision));
        }
        self.adopt_currency(currency)?;
        if revision <= self.is.concluded_revision {
            return Ok(Effect::Already);
        }
        self.is.concluded_revision = revision;
        self.is.total = total;
        self.is.updated_at = cause.at;
        Ok(Effect::Moved)
    }

    /// Order is cancelled: nothing more falls due, what is due is carried to its outcome, what was
    /// taken is given back, and `closed` is said; at once when nothing is open. For an order never
    /// heard of this is the fence (rule 5).
    pub fn note_canceled(&mut self, cause: &Cause) -> Effect {
        if std::mem::replace(&mut self.is.closing, true) {
            return Effect::Already;
        }
        self.is.closing_origin = cause.origin.clone();
        self.is.updated_at = cause.at;
        self.close(cause.at);
        Effect::Moved
    }

    /// Order wants money given back: accepted up to captured − refunded − pending refunds, so that
    /// however many ask at once, no more goes back than was taken (I2).
    ///
    /// # Errors
    /// [`Refused`] for an amount that is not positive, or another currency.
    pub fn note_refund_requested(
        &mut self,
        refund_id: &str,
        currency: &str,
        amount: i64,
        cause: &Cause,
    ) -> Result<Effect, Refused> {
        if amount <= 0 {
            return Err(Refused::ImpossibleAmount { amount });
        }
        self.adopt_currency(currency)?;
        if self.is.refunds.contains_key(refund_id) {
            return Ok(Effect::Already);
        }
        if amount <= self.left() {
            self.refund(refund_id, amount, cause).progress.fall_due(cause);
        } else {
            let fact = self.refuse_refund(refund_id, amount, cause);
            self.say(fact, cause);
        }
        self.is.updated_at = cause.at;
        Ok(Effect::Moved)
    }

    /// The gateway answered a capture. An outcome already recorded is not recorded twice (I4).
    pub fn record_capture(
        &mut self,
        revision: i32,
        outcome: &Outcome,
        at: DateTime<Utc>,
    ) -> Effect {
        let Some(capture) = self.is.captures.get_mut(&revision) else { return Effect::Already };
        if !capture.progress.is_open() {
            return Effect::Already;
        }
        let (amount, origin) = (capture.amount, capture.progress.origin.clone());
        let fact = match outcome {
            Outcome::Approved => {
                capture.progress.end(State::Succeeded, "", at);
                self.is.totals.captured += amount;
                Fact::Captured { revision, amount }
            }
            Outcome::Declined { code, reason } => {
                capture.progress.end(State::Failed, code, at);
                Fact::Declined { revision, code: code.clone(), reason: reason.clone() }
            }
        };
        self.is.updated_at = at;
        self.answer(revision, fact, &Cause { at, origin });
        self.close(at);
        Effect::Moved
    }

    /// The gateway answered a refund. An outcome already recorded is not recorded twice (I4).
    pub fn record_refund(
        &mut self,
        refund_id: &str,
        outcome: &Outcome,
        at: DateTime<Utc>,
    ) -> Effect {
        let Some(refund) = self.is.refunds.get_mut(refund_id) else { return Effect::Already };
        if !refund.progress.is_open() {
            return Effect::Already;
        }
        let (amount, origin) = (refund.amount, refund.progress.origin.clone());
        let refund_id = refund_id.to_owned();
        let revision = amended_revision(&refund_id, &self.is.order_id);
        let fact = match outcome {
            Outcome::Approved => {
                refund.progress.end(State::Succeeded, "", at);
                self.is.totals.refunded += amount;
                Fact::Refunded { refund_id, amount }
            }
            Outcome::Declined { code, .. } => {
                refund.progress.end(State::Failed, code, at);
                Fact::RefundFailed { refund_id, amount, code: code.clone() }
            }
        };
        self.is.updated_at = at;
        let cause = Cause { at, origin };
        match revision {
            Some(revision) => self.answer(revision, fact, &cause),
            None => self.say(fact, &cause),
        }
        self.close(at);
        Effect::Moved
    }

    /// The outcome of a capture is not known: it is asked again with the same key.
    pub fn postpone_capture(&mut self, revision: i32, until: DateTime<Utc>) -> Effect {
        let capture = self.is.captures.get_mut(&revision);
        capture.map_or(Effect::Already, |capture| capture.progress.postpone(until))
    }

    /// The outcome of a refund is not known: it is asked again with the same key.
    pub fn postpone_refund(&mut self, refund_id: &str, until: DateTime<Utc>) -> Effect {
        let refund = self.is.refunds.get_mut(refund_id);
        refund.map_or(Effect::Already, |refund| refund.progress.postpone(until))
    }

    /// Acts on a revision once `reserved` and `submitted` or `amended` are known, in any order of
    /// arrival; never twice, never after cancel, never for what order has already concluded.
    fn act(&mut self, revision: i32, cause: &Cause) {
        if self.is.closing || self.is.concluded_revision >= revision {
            return;
        }
        let Some(capture) = self.is.captures.get_mut(&revision) else { return };
        let (Some(noted), true, State::Noted) =
            (&capture.noted, capture.reserved, capture.progress.state)
        else {
            return;
        };
        let difference = noted.total - noted.base;
        if difference < 0 {
            return self.give_back(revision, -difference, cause);
        }
        capture.amount = difference;
        if difference > 0 {
            capture.progress.fall_due(cause);
        } else {
            // Nothing is due: the answer is known without the gateway.
            capture.progress.end(State::Succeeded, "", cause.at);
            self.answer(revision, Fact::Captured { revision, amount: 0 }, cause);
        }
    }

    /// Gives back what a revision costs less, once, if so much is left.
    fn give_back(&mut self, revision: i32, amount: i64, cause: &Cause) {
        let refund_id = amend_refund_id(&self.is.order_id, revision);
        if self.is.refunds.contains_key(&refund_id) {
            return;
        }
        if amount <= self.left() {
            self.refund(&refund_id, amount, cause).progress.fall_due(cause);
        } else {
            let fact = self.refuse_refund(&refund_id, amount, cause);
            self.answer(revision, fact, cause);
        }
    }

    /// Goes on closing: once nothing is open, one refund of everything kept at that moment; once
    /// that has ended too, `closed`. What the refund did not give back stays, and is an alert.
    fn close(&mut self, at: DateTime<Utc>) {
        if !self.is.closing || self.is.closed || self.is.is_busy() {
            return;
        }
        let cause = Cause { at, origin: self.is.closing_origin.clone() };
        let rest = self.is.totals.kept();
        if rest > 0 && !self.is.cancel_refund_made {
            self.is.cancel_refund_made = true;
            let refund_id = cancel_refund_id(&self.is.order_id);
            self.refund(&refund_id, rest, &cause).progress.fall_due(&cause);
            return;
        }
        self.is.closed = true;
        self.say(Fact::Closed, &cause);
    }

    /// What may still be given back: captured − refunded − pending refunds (I2).
    fn left(&self) -> i64 {
        self.is.totals.kept() - self.is.pending_refunds()
    }

    fn refuse_refund(&mut self, refund_id: &str, amount: i64, cause: &Cause) -> Fact {
        let refund = self.refund(refund_id, amount, cause);
        refund.progress.end(State::Failed, NOTHING_LEFT, cause.at);
        let (refund_id, code) = (refund_id.to_owned(), NOTHING_LEFT.to_owned());
        Fact::RefundFailed { refund_id, amount, code }
    }

    fn answer(&mut self, revision: i32, fact: Fact, cause: &Cause) {
        self.is.verdict_revision = self.is.verdict_revision.max(revision);
        self.say(fact, cause);
    }

    fn say(&mut self, fact: Fact, cause: &Cause) {
        self.said.push(Said { fact, totals: self.is.totals, origin: cause.origin.clone() });
    }

    fn capture(&mut self, revision: i32, cause: &Cause) -> Result<&mut Capture, Refused> {
        if revision < 1 {
            return Err(Refused::ImpossibleRevision(revision));
        }
        Ok(self.is.captures.entry(revision).or_insert_with(|| Capture {
            revision,
            noted: None,
            reserved: false,
            amount: 0,
            progress: Progress::noted(cause),
        }))
    }

    fn refund(&mut self, refund_id: &str, amount: i64, cause: &Cause) -> &mut Refund {
        self.is.refunds.entry(refund_id.to_owned()).or_insert_with(|| Refund {
            refund_id: refund_id.to_owned(),
            amount,
            progress: Progress::noted(cause),
        })
    }

    fn adopt_currency(&mut self, said: &str) -> Result<(), Refused> {
        if self.is.currency.is_empty() {
            said.clone_into(&mut self.is.currency);
        }
        if self.is.currency == said {
            return Ok(());
        }
        Err(Refused::OtherCurrency { known: self.is.currency.clone(), said: said.to_owned() })
    }
}
