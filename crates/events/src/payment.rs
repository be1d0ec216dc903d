//! What the payment service says. Every fact carries payment's running totals (rule 8).

use serde::{Deserialize, Serialize};

use crate::{Amount, event};

/// Payment's ledger of an order at the moment of the fact, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Everything taken so far.
    pub captured_minor: i64,
    /// Everything given back so far.
    pub refunded_minor: i64,
}

/// The money of a revision was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Captured {
    /// The revision paid.
    pub revision: i32,
    /// What this capture took; 0 when the revision cost nothing more.
    pub amount: Amount,
    /// The ledger with it.
    pub totals: Totals,
}
event!(Captured, "oms.payment.captured.v1");

/// The money of a revision was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declined {
    /// The revision asked for.
    pub revision: i32,
    /// The gateway's code, for example `card_declined`.
    pub code: String,
    /// The same for people.
    pub reason: String,
    /// The ledger.
    pub totals: Totals,
}
event!(Declined, "oms.payment.declined.v1");

/// Money was given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refunded {
    /// Which refund: one asked for, `amend:<order>:<revision>`, or `cancel:<order>`.
    pub refund_id: String,
    /// How much.
    pub amount: Amount,
    /// The ledger with it.
    pub totals: Totals,
}
event!(Refunded, "oms.payment.refunded.v1");

/// Money was not given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundFailed {
    /// Which refund.
    pub refund_id: String,
    /// How much was asked for.
    pub amount: Amount,
    /// Why: the gateway's code, or `nothing_left`.
    pub code: String,
    /// The ledger.
    pub totals: Totals,
}
event!(RefundFailed, "oms.payment.refund_failed.v1");

/// Nothing of the cancelled order is pending at the gateway any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// The ledger at the end.
    pub totals: Totals,
}
event!(Closed, "oms.payment.closed.v1");

/// An operator redrove or discarded one of payment's dead letters. For the order's timeline; it
/// changes nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intervened {
    /// The event that was parked: its id, or its place in the log where it has none.
    pub event_id: String,
    /// Its type as far as it could be read.
    pub event_type: String,
    /// `redriven` or `discarded`.
    pub action: String,
    /// The operator's own words; may be empty.
    pub note: String,
}
event!(Intervened, "oms.payment.intervened.v1");
