//! Entries of the stock ledger.

use std::fmt;

/// What an entry of the ledger records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MovementKind {
    /// Goods came in: available rises.
    Received,
    /// A count was corrected: available rises or falls.
    Adjusted,
    /// From available to held.
    Held,
    /// From held to committed.
    Committed,
    /// Back to available: from held as far as the order has units held, else from committed.
    Released,
    /// From committed to shipped.
    Shipped,
}

impl MovementKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Received,
        Self::Adjusted,
        Self::Held,
        Self::Committed,
        Self::Released,
        Self::Shipped,
    ];

    /// Its name in the store and on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Adjusted => "adjusted",
            Self::Held => "held",
            Self::Committed => "committed",
            Self::Released => "released",
            Self::Shipped => "shipped",
        }
    }
}

impl fmt::Display for MovementKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An entry of the ledger, not yet numbered and dated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// The SKU that moved.
    pub sku: String,
    /// How.
    pub kind: MovementKind,
    /// The order that caused it, if one did.
    pub order_id: Option<String>,
    /// Units; negative only for an adjustment downwards.
    pub qty: i64,
    /// The operator's words.
    pub note: String,
}
