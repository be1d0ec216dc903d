//! The data of an order, as the store keeps it.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Currency, Line, Money, Refund, Run, Status};

/// Why an order has the status it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusReason {
    /// Stable code: one of the constants of this type.
    pub code: String,
    /// For people.
    pub message: String,
}

impl StatusReason {
    /// A line could not be held.
    pub const INVENTORY_UNAVAILABLE: &str = "inventory_unavailable";
    /// The money could not be taken.
    pub const PAYMENT_DECLINED: &str = "payment_declined";
    /// The pay run took too long.
    pub const DEADLINE_EXCEEDED: &str = "deadline_exceeded";
    /// Inventory held the lines too long without hearing of a payment.
    pub const RESERVATION_EXPIRED: &str = "reservation_expired";
    /// The customer cancelled.
    pub const CUSTOMER: &str = "customer";
}

/// Payment's running totals, as last heard (saga rule 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ledger {
    /// Taken from the customer so far.
    pub captured: Money,
    /// Given back so far.
    pub refunded: Money,
    /// The payment `sequence` these totals came with; 0 before any.
    pub sequence: i64,
}

/// An order's data without its behaviour: what the store loads and saves. Everybody else asks
/// [`super::Order`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderState {
    /// The order's id.
    pub id: Uuid,
    /// Who orders.
    pub customer_id: String,
    /// The caller's own reference; may be empty.
    pub reference: String,
    /// Of all prices.
    pub currency: Currency,
    /// The lifecycle.
    pub status: Status,
    /// Timeline entries so far.
    pub version: i32,
    /// Revisions so far: 0 before the pay run, then 1; each amendment adds one, and so does each
    /// refusal of one.
    pub revision: i32,
    /// The revision in force; 0 before CONFIRMED.
    pub settled_revision: i32,
    /// Lines in force, or to be paid for before anything is in force.
    pub lines: Vec<Line>,
    /// The open run.
    pub run: Option<Run>,
    /// The pay run, also after its end.
    pub saga_id: Option<Uuid>,
    /// How it was paid; empty before the pay run.
    pub payment_method: String,
    /// Why the status is what it is.
    pub status_reason: Option<StatusReason>,
    /// Payment's totals.
    pub ledger: Ledger,
    /// Whether inventory said that the hold is gone.
    pub released: bool,
    /// Whether payment said that nothing is pending any more.
    pub closed: bool,
    /// Whether it is known that the refund of the cancellation failed.
    pub cancel_refund_failed: bool,
    /// Whether the end in REFUNDED asked inventory to give the hold back.
    pub release_asked: bool,
    /// Whether inventory said that the shipment is booked out.
    pub dispatched: bool,
    /// Refunds, oldest first.
    pub refunds: Vec<Refund>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When its latest timeline entry was written.
    pub updated_at: DateTime<Utc>,
    /// The trace of the latest run, or of the creation.
    pub trace_id: Option<String>,
}
