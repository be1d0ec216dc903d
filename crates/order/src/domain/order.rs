//! The aggregate: an order with its data, what it newly says, and what was newly written about it.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    Amendment, Cause, Currency, Entry, Fact, Ledger, Line, Milestone, Money, OrderState, Refund,
    RefundState, Run, RunKind, Status, StatusReason, timeline::Happening, total,
};

/// An order. Changed by its verbs and by notes of what other services say; each change collects
/// timeline entries, facts to announce and milestones to count, which the store takes away.
#[derive(Clone, Debug)]
pub struct Order {
    pub(super) state: OrderState,
    entries: Vec<Entry>,
    facts: Vec<Fact>,
    milestones: Vec<Milestone>,
    pub(super) ended_amendments: Vec<Amendment>,
}

impl Order {
    /// An order as it was stored.
    #[must_use]
    pub fn restore(state: OrderState) -> Self {
        Self {
            state,
            entries: Vec::new(),
            facts: Vec::new(),
            milestones: Vec::new(),
            ended_amendments: Vec::new(),
        }
    }

    /// Its data, for the store.
    #[must_use]
    pub fn state(&self) -> &OrderState {
        &self.state
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.state.id
    }

    /// Who ordered.
    #[must_use]
    pub fn customer_id(&self) -> &str {
        &self.state.customer_id
    }

    /// The caller's own reference; may be empty.
    #[must_use]
    pub fn reference(&self) -> &str {
        &self.state.reference
    }

    /// The currency of all its money.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.state.currency
    }

    /// The lifecycle's status.
    #[must_use]
    pub fn status(&self) -> Status {
        self.state.status
    }

    /// The status callers see: CANCELED wins, else REFUNDED once a refund that was asked for
    /// succeeded in part or in full, else the lifecycle.
    #[must_use]
    pub fn shown_status(&self) -> Status {
        let gave_back =
            |refund: &Refund| refund.is_asked_for() && refund.state == RefundState::Succeeded;
        match self.state.status {
            Status::Canceled => Status::Canceled,
            _ if self.state.refunds.iter().any(gave_back) => Status::Refunded,
            lifecycle => lifecycle,
        }
    }

    /// Why the status is what it is.
    #[must_use]
    pub fn status_reason(&self) -> Option<&StatusReason> {
        self.state.status_reason.as_ref()
    }

    /// Timeline entries so far.
    #[must_use]
    pub fn version(&self) -> i32 {
        self.state.version
    }

    /// Revisions so far; 0 before the pay run.
    #[must_use]
    pub fn revision(&self) -> i32 {
        self.state.revision
    }

    /// Whether it came to CONFIRMED, whatever became of it since.
    #[must_use]
    pub fn was_confirmed(&self) -> bool {
        self.state.settled_revision > 0
    }

    /// How it was paid, or is to be; empty before the pay run.
    #[must_use]
    pub fn payment_method(&self) -> &str {
        &self.state.payment_method
    }

    /// Its lines: those in force, whatever an open amend run wishes for.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.state.lines
    }

    /// What the lines cost. Creation made sure that they have a sum.
    #[must_use]
    pub fn total(&self) -> Money {
        let zero = Money::zero(self.state.currency);
        total(&self.state.lines, self.state.currency).unwrap_or(zero)
    }

    /// The open run.
    #[must_use]
    pub fn run(&self) -> Option<&Run> {
        self.state.run.as_ref()
    }

    /// The kind of the open run, or idle.
    #[must_use]
    pub fn run_kind(&self) -> RunKind {
        self.state.run.as_ref().map_or(RunKind::Idle, Run::kind)
    }

    /// The pay run, also after its end.
    #[must_use]
    pub fn saga_id(&self) -> Option<Uuid> {
        self.state.saga_id
    }

    /// Payment's totals, as last heard.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.state.ledger
    }

    /// Captured − refunded, never below zero.
    #[must_use]
    pub fn left(&self) -> Money {
        let Ledger { captured, refunded, .. } = self.state.ledger;
        Money::new(captured.minor().saturating_sub(refunded.minor()).max(0), self.state.currency)
    }

    /// The most a refund may ask for: captured − refunded − asked for and still open.
    #[must_use]
    pub fn refundable(&self) -> Money {
        let open = |refund: &&Refund| refund.state == RefundState::Open;
        let asked: i64 = self
            .state
            .refunds
            .iter()
            .filter(open)
            .fold(0, |sum, refund| sum.saturating_add(refund.amount.minor()));
        Money::new(self.left().minor().saturating_sub(asked).max(0), self.state.currency)
    }

    /// Refunds asked for and made, oldest first.
    #[must_use]
    pub fn refunds(&self) -> &[Refund] {
        &self.state.refunds
    }

    /// The refund of that id.
    #[must_use]
    pub fn refund(&self, id: &str) -> Option<&Refund> {
        self.state.refunds.iter().find(|refund| refund.id == id)
    }

    /// Whether it is known that money of this cancelled order could not be given back.
    #[must_use]
    pub fn cancel_refund_failed(&self) -> bool {
        self.state.cancel_refund_failed
    }

    /// Whether payment said that nothing of the cancelled order is pending any more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.state.closed
    }

    /// Whether its goods have left, whatever became of it since. REFUNDED asks the hold back unless
    /// they have.
    #[must_use]
    pub fn has_shipped(&self) -> bool {
        match self.state.status {
            Status::Shipped | Status::Completed => true,
            Status::Refunded => !self.state.release_asked,
            Status::Pending
            | Status::Reserved
            | Status::Paid
            | Status::Confirmed
            | Status::Canceled => false,
        }
    }

    /// Whether the order waits for another service's word (saga rule 10): while a run is open; in
    /// CANCELED after a run until stock and money are settled; in REFUNDED until the hold it asked
    /// back is gone; after shipping until the shipment is booked out.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        let state = &self.state;
        let settling = match state.status {
            Status::Canceled => state.revision > 0 && !(state.released && state.closed),
            Status::Refunded => state.release_asked && !state.released,
            Status::Pending
            | Status::Reserved
            | Status::Paid
            | Status::Confirmed
            | Status::Shipped
            | Status::Completed => false,
        };
        let shipping = self.has_shipped() && !state.dispatched;
        state.run.is_some() || settling || shipping
    }

    /// Whether nothing more comes of the order by itself: it is at an end and waits for nothing. A
    /// refund may still be asked for.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        match self.state.status {
            Status::Canceled | Status::Refunded | Status::Completed => !self.is_waiting(),
            Status::Pending
            | Status::Reserved
            | Status::Paid
            | Status::Confirmed
            | Status::Shipped => false,
        }
    }

    /// Whether the order has come to its end and waits for nothing. A cancelled order that still
    /// has money to give back has not.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        let at_its_end = match self.state.status {
            Status::Canceled => self.left().minor() == 0,
            Status::Refunded | Status::Completed => true,
            Status::Pending
            | Status::Reserved
            | Status::Paid
            | Status::Confirmed
            | Status::Shipped => false,
        };
        at_its_end && !self.is_waiting()
    }

    /// When it was created.
    #[must_use]
    pub fn created_at(&self) -> DateTime<Utc> {
        self.state.created_at
    }

    /// When its latest timeline entry was written.
    #[must_use]
    pub fn updated_at(&self) -> DateTime<Utc> {
        self.state.updated_at
    }

    /// The trace of the latest run, or of the creation.
    #[must_use]
    pub fn trace_id(&self) -> Option<&str> {
        self.state.trace_id.as_deref()
    }

    /// Takes the timeline entries not stored yet.
    pub fn take_entries(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.entries)
    }

    /// Takes the facts not announced yet, in order.
    pub fn take_facts(&mut self) -> Vec<Fact> {
        std::mem::take(&mut self.facts)
    }

    /// Takes the milestones not counted yet.
    pub fn take_milestones(&mut self) -> Vec<Milestone> {
        std::mem::take(&mut self.milestones)
    }

    /// The amendments that ended and were not taken yet.
    #[must_use]
    pub fn ended_amendments(&self) -> &[Amendment] {
        &self.ended_amendments
    }

    /// Takes the amendments that ended.
    pub fn take_amendments(&mut self) -> Vec<Amendment> {
        std::mem::take(&mut self.ended_amendments)
    }

    /// Writes on the timeline: the one place where the version rises.
    pub(super) fn write(&mut self, happening: &Happening<'_>, cause: &Cause) {
        let (event_type, payload) = happening.text();
        self.state.version += 1;
        self.state.updated_at = cause.at;
        self.entries.push(Entry {
            version: self.state.version,
            event_type,
            payload,
            at: cause.at,
            event_id: cause.event_id,
            trace_id: cause.trace_id.clone(),
        });
    }

    /// All money of an order is in its currency: it can change only while there is none.
    pub(super) fn adopt_currency(&mut self, currency: Currency) {
        self.state.currency = currency;
        let Ledger { captured, refunded, .. } = &mut self.state.ledger;
        *captured = Money::new(captured.minor(), currency);
        *refunded = Money::new(refunded.minor(), currency);
    }

    pub(super) fn become_status(&mut self, status: Status, cause: &Cause) {
        self.state.status = status;
        self.write(&Happening::Became(status), cause);
    }

    pub(super) fn say(&mut self, fact: Fact) {
        self.facts.push(fact);
    }

    pub(super) fn reach(&mut self, milestone: Milestone) {
        self.milestones.push(milestone);
    }
}
