//! Where an order stands.

use std::fmt;

/// The lifecycle of an order. `Canceled` and `Refunded` are ends, `Completed` is the good one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Created; not paid, or its pay run has not reserved yet.
    Pending,
    /// Inventory holds every line.
    Reserved,
    /// The money was taken. Passed through within one transaction.
    Paid,
    /// Paid and ready to be fulfilled.
    Confirmed,
    /// Cancelled; everything goes back.
    Canceled,
    /// Everything was given back by refunds.
    Refunded,
    /// The goods have left.
    Shipped,
    /// Delivered and closed.
    Completed,
}

impl Status {
    /// Every status, in the order of the wire's numbers.
    pub const ALL: [Self; 8] = [
        Self::Pending,
        Self::Reserved,
        Self::Paid,
        Self::Confirmed,
        Self::Canceled,
        Self::Refunded,
        Self::Shipped,
        Self::Completed,
    ];

    /// Its word in timelines, messages and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Reserved => "reserved",
            Self::Paid => "paid",
            Self::Confirmed => "confirmed",
            Self::Canceled => "canceled",
            Self::Refunded => "refunded",
            Self::Shipped => "shipped",
            Self::Completed => "completed",
        }
    }

    /// The status of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Whether the lifecycle is somewhere from CONFIRMED on its good way.
    #[must_use]
    pub const fn is_in_force(self) -> bool {
        matches!(self, Self::Confirmed | Self::Shipped | Self::Completed)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
