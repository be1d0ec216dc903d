//! A payment as plain data, for the store and for queries.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{Capture, Origin, Refund, Totals};

/// Everything payment knows of one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The order.
    pub order_id: String,
    /// ISO 4217 code; empty until an event named it.
    pub currency: String,
    /// Who pays; empty until `submitted`.
    pub customer_id: String,
    /// How to pay unless a call says otherwise; empty until `submitted`.
    pub method: String,
    /// What the order in force costs, in minor units.
    pub total: i64,
    /// The ledger.
    pub totals: Totals,
    /// Cancelled: nothing more falls due.
    pub closing: bool,
    /// Cancelled and nothing pending: `closed` has been said.
    pub closed: bool,
    /// The one refund of a cancelled order has been made.
    pub cancel_refund_made: bool,
    /// The highest revision order has confirmed.
    pub concluded_revision: i32,
    /// The highest revision payment has answered.
    pub verdict_revision: i32,
    /// On whose account it closes.
    pub closing_origin: Origin,
    /// By revision.
    pub captures: BTreeMap<i32, Capture>,
    /// By refund id.
    pub refunds: BTreeMap<String, Refund>,
    /// When payment first heard of the order.
    pub created_at: DateTime<Utc>,
    /// When something last changed.
    pub updated_at: DateTime<Utc>,
}

impl Snapshot {
    /// An order never heard of until now.
    #[must_use]
    pub fn new(order_id: &str, at: DateTime<Utc>) -> Self {
        Self {
            order_id: order_id.to_owned(),
            currency: String::new(),
            customer_id: String::new(),
            method: String::new(),
            total: 0,
            totals: Totals::default(),
            closing: false,
            closed: false,
            cancel_refund_made: false,
            concluded_revision: 0,
            verdict_revision: 0,
            closing_origin: Origin::default(),
            captures: BTreeMap::new(),
            refunds: BTreeMap::new(),
            created_at: at,
            updated_at: at,
        }
    }

    /// Whether a capture or refund is on its way through the gateway.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.captures.values().any(|capture| capture.progress.is_open())
            || self.refunds.values().any(|refund| refund.progress.is_open())
    }

    /// What open refunds will give back, in minor units.
    #[must_use]
    pub fn pending_refunds(&self) -> i64 {
        let open = self.refunds.values().filter(|refund| refund.progress.is_open());
        open.map(|refund| refund.amount).sum()
    }
}
