//! What the order service says.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{Amount, Line, event};

/// An order exists. For observers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Created {
    /// Who orders.
    pub customer_id: String,
    /// What is ordered.
    pub lines: Vec<Line>,
    /// Its total.
    pub total: Amount,
}
event!(Created, "oms.order.created.v1");

/// The customer pays: the pay run begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submitted {
    /// Always 1.
    pub revision: i32,
    /// Who orders; the gateway may judge by it.
    pub customer_id: String,
    /// What to hold, all or none.
    pub lines: Vec<Line>,
    /// What is due.
    pub total: Amount,
    /// How to pay.
    pub payment_method: String,
    /// When the run ends by itself.
    pub deadline: DateTime<Utc>,
}
event!(Submitted, "oms.order.submitted.v1");

/// The customer wants other lines. Nothing of it is in force before `confirmed` says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amended {
    /// Above 1; each amendment has its own, and so has each refusal.
    pub revision: i32,
    /// What the order is to have.
    pub lines: Vec<Line>,
    /// What it is to cost.
    pub total: Amount,
    /// The revision in force.
    pub settled_revision: i32,
    /// The lines in force.
    pub settled_lines: Vec<Line>,
    /// What they cost.
    pub settled_total: Amount,
    /// How to pay what it costs more; as the order was paid when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_method: Option<String>,
}
event!(Amended, "oms.order.amended.v1");

/// What is in force now: ends every pay or amend run that was not ended by cancel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmed {
    /// The revision in force.
    pub revision: i32,
    /// The lines in force.
    pub lines: Vec<Line>,
    /// Their total.
    pub total: Amount,
    /// Whether the run's wish was granted; a refused one restores the lines settled before.
    pub accepted: bool,
}
event!(Confirmed, "oms.order.confirmed.v1");

/// The order is cancelled, whatever was under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Canceled {
    /// Why: a status reason's code.
    pub reason: String,
    /// Who decided: `customer`, `inventory`, `payment` or `deadline`.
    pub by: String,
}
event!(Canceled, "oms.order.canceled.v1");

/// Money is to be given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundRequested {
    /// Names the refund, for ever.
    pub refund_id: String,
    /// How much.
    pub amount: Amount,
    /// The customer's words.
    pub reason: String,
}
event!(RefundRequested, "oms.order.refund_requested.v1");

/// Everything was given back by refunds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refunded {
    /// Whether inventory is to give the hold back (it is not once the goods have left).
    pub release: bool,
}
event!(Refunded, "oms.order.refunded.v1");

/// The goods leave the house.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipped {
    /// The revision in force.
    pub revision: i32,
    /// What leaves: the lines in force.
    pub lines: Vec<Line>,
}
event!(Shipped, "oms.order.shipped.v1");

/// The order was delivered and is closed. For observers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completed {}
event!(Completed, "oms.order.completed.v1");
