//! Amendments: a CONFIRMED order is to have other lines. What is held and what is paid follow, or
//! everything stays as it was (`docs/saga.md`, section 3).
//!
//! The lines in force are the order's until the run ends; those wished for belong to the run.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    Cause, Fact, Line, Milestone, Money, Order, Refusal, Run, refund::amendment_name,
    timeline::Happening, total,
};

/// How an amendment ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AmendmentEnd {
    /// The order has the lines it was to have.
    Accepted,
    /// Inventory could not hold what was to be added.
    Unavailable,
    /// What it costs more could not be taken.
    Declined,
    /// What it costs less could not be given back.
    NotGivenBack,
    /// The order was cancelled before its outcome was known.
    Canceled,
}

impl AmendmentEnd {
    /// Every one.
    pub const ALL: [Self; 5] =
        [Self::Accepted, Self::Unavailable, Self::Declined, Self::NotGivenBack, Self::Canceled];

    /// Its word in the database and on the timeline.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Unavailable => "inventory_unavailable",
            Self::Declined => "payment_declined",
            Self::NotGivenBack => "refund_failed",
            Self::Canceled => "canceled",
        }
    }

    /// The end of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|end| end.as_str() == word)
    }

    /// What the caller is told who asked for it.
    ///
    /// # Errors
    /// Why the order stayed as it was.
    pub const fn told(self) -> Result<(), Refusal> {
        match self {
            Self::Accepted => Ok(()),
            Self::Unavailable => Err(Refusal::InventoryUnavailable),
            Self::Declined => Err(Refusal::PaymentDeclined),
            Self::NotGivenBack => Err(Refusal::RefundFailed),
            Self::Canceled => Err(Refusal::AmendmentCanceled),
        }
    }
}

/// An amendment that has ended. The order keeps none: the store does, for whoever asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amendment {
    /// Of which order.
    pub order_id: Uuid,
    /// The revision that was asked for.
    pub revision: i32,
    /// How it ended.
    pub end: AmendmentEnd,
    /// When.
    pub at: DateTime<Utc>,
}

impl Amendment {
    /// What idempotency keys wait for.
    #[must_use]
    pub fn name(&self) -> String {
        amendment_name(self.order_id, self.revision)
    }
}

/// What a change is made with if it begins an amend run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Names the run.
    pub saga_id: Uuid,
    /// How to pay what it costs more; as the order was paid when absent.
    pub method: Option<String>,
}

impl Order {
    /// Begins the amend run. Returns its revision.
    pub(super) fn begin_amendment(
        &mut self,
        change: &str,
        lines: Vec<Line>,
        desired: Money,
        terms: Terms,
        cause: &Cause,
    ) -> Result<i32, Refusal> {
        let settled = self.total();
        let decrease = settled.minor() - desired.minor();
        if decrease > self.left().minor() {
            return Err(Refusal::DecreaseTooHigh);
        }
        let Terms { saga_id, method } = terms;
        self.state.revision += 1;
        let revision = self.state.revision;
        let items = lines.len();
        let asked = Happening::AmendmentRequested { revision, change, items, settled, desired };
        self.write(&asked, cause);
        self.say(Fact::Amended {
            saga_id,
            revision,
            lines: lines.clone(),
            total: desired,
            settled_revision: self.state.settled_revision,
            settled_lines: self.state.lines.clone(),
            settled_total: settled,
            method,
        });
        self.state.run = Some(Run::Amend { saga_id, lines, started_at: cause.at });
        self.state.trace_id.clone_from(&cause.trace_id);
        Ok(revision)
    }

    /// What the open amend run costs more than what is in force; below zero what goes back.
    pub(super) fn difference(&self) -> Option<i64> {
        let Some(Run::Amend { lines, .. }) = self.run() else { return None };
        let desired = total(lines, self.currency()).ok()?;
        Some(desired.minor() - self.total().minor())
    }

    /// The lines wished for are in force.
    pub(super) fn accept_amendment(&mut self, cause: &Cause) {
        let Some(Run::Amend { saga_id, lines, .. }) = self.state.run.take() else { return };
        let settled = self.total();
        self.state.lines = lines;
        let (revision, items, desired) = (self.revision(), self.lines().len(), self.total());
        let amended = Happening::Amended { revision, items, settled, desired };
        self.write(&amended, cause);
        self.settle(saga_id, true);
        self.end_amendment(revision, AmendmentEnd::Accepted, cause);
    }

    /// Everything stays as it was, as a revision of its own: whatever still comes of the one that
    /// was refused is of an earlier one then.
    pub(super) fn refuse_amendment(&mut self, end: AmendmentEnd, detail: &str, cause: &Cause) {
        let Some(Run::Amend { saga_id, .. }) = self.state.run.take() else { return };
        let refused = self.revision();
        self.write(&Happening::AmendmentRefused { revision: refused, end, detail }, cause);
        self.state.revision += 1;
        self.settle(saga_id, false);
        self.end_amendment(refused, end, cause);
    }

    /// A cancellation ends the run, whatever payment and inventory make of it.
    pub(super) fn drop_amendment(&mut self, cause: &Cause) {
        let Some(Run::Amend { .. }) = self.state.run else { return };
        self.state.run = None;
        self.end_amendment(self.revision(), AmendmentEnd::Canceled, cause);
    }

    fn settle(&mut self, saga_id: Uuid, accepted: bool) {
        self.state.settled_revision = self.state.revision;
        self.say(Fact::Confirmed {
            saga_id: Some(saga_id),
            revision: self.state.revision,
            lines: self.state.lines.clone(),
            total: self.total(),
            accepted,
        });
    }

    fn end_amendment(&mut self, revision: i32, end: AmendmentEnd, cause: &Cause) {
        let (order_id, at) = (self.id(), cause.at);
        self.ended_amendments.push(Amendment { order_id, revision, end, at });
        self.reach(Milestone::AmendmentEnded(end));
    }
}
