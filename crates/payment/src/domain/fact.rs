//! What payment has to say after a change, and what made it change.

use chrono::{DateTime, Utc};

/// Where a movement of money comes from: the run, the event and the trace that made it due. Nothing
/// is decided by it; it is handed on to whatever follows.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Origin {
    /// The run.
    pub saga: Option<String>,
    /// The event.
    pub cause: Option<String>,
    /// W3C trace context.
    pub traceparent: Option<String>,
}

/// What moves payment: when, and on whose account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The instant of the change.
    pub at: DateTime<Utc>,
    /// On whose account.
    pub origin: Origin,
}

/// Whether a fact moved payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It did.
    Moved,
    /// A duplicate, or a fact that came early or late: nothing to do now.
    Already,
}

/// The running totals of an order, in minor units (rule 8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Everything taken so far.
    pub captured: i64,
    /// Everything given back so far.
    pub refunded: i64,
}

impl Totals {
    /// What payment still has of the customer's.
    #[must_use]
    pub const fn kept(self) -> i64 {
        self.captured - self.refunded
    }
}

/// Something that is now true and that the others must learn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The money of a revision was taken.
    Captured {
        /// The revision.
        revision: i32,
        /// What this capture took, in minor units; 0 when nothing was due.
        amount: i64,
    },
    /// The money of a revision was refused.
    Declined {
        /// The revision.
        revision: i32,
        /// The gateway's code.
        code: String,
        /// The same for people.
        reason: String,
    },
    /// Money was given back.
    Refunded {
        /// Which refund.
        refund_id: String,
        /// In minor units.
        amount: i64,
    },
    /// Money was not given back.
    RefundFailed {
        /// Which refund.
        refund_id: String,
        /// What was asked for, in minor units.
        amount: i64,
        /// Why.
        code: String,
    },
    /// Nothing of the cancelled order is pending at the gateway any more.
    Closed,
}

/// A fact together with what every payment fact carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// What happened.
    pub fact: Fact,
    /// The ledger with it.
    pub totals: Totals,
    /// On whose account.
    pub origin: Origin,
}
