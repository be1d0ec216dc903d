//! What the inventory service says.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{Quantity, event};

/// Every line of the revision is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reserved {
    /// The revision answered.
    pub revision: i32,
    /// When inventory asks about the hold if nobody confirmed or cancelled it.
    pub until: DateTime<Utc>,
}
event!(Reserved, "oms.inventory.reserved.v1");

/// Nothing more is held for the revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// The revision answered.
    pub revision: i32,
    /// Why: `out_of_stock`, `unknown_sku` or `released`.
    pub reason: String,
    /// What is missing.
    pub shortages: Vec<Quantity>,
}
event!(Rejected, "oms.inventory.rejected.v1");

/// The whole hold is gone, or there was none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Released {}
event!(Released, "oms.inventory.released.v1");

/// A hold has waited too long for its confirmation. An ask: nothing was given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationExpired {
    /// The revision held.
    pub revision: i32,
}
event!(ReservationExpired, "oms.inventory.reservation_expired.v1");

/// The shipment is booked out: its units have left the stock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispatched {}
event!(Dispatched, "oms.inventory.dispatched.v1");

/// An operator redrove or discarded one of inventory's dead letters. For the order's timeline; it
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
event!(Intervened, "oms.inventory.intervened.v1");
