//! What payment refuses to believe.

/// A fact that no interleaving of the saga can produce. Loud: the event becomes a dead letter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// An order has one currency for ever.
    #[error("the order pays in {known}, the event says {said}")]
    OtherCurrency {
        /// What payment noted first.
        known: String,
        /// What the event says.
        said: String,
    },
    /// A negative total, or a refund of nothing.
    #[error("{amount} is no amount for this")]
    ImpossibleAmount {
        /// In minor units.
        amount: i64,
    },
    /// Revisions start at 1.
    #[error("there is no revision {0}")]
    ImpossibleRevision(i32),
}

impl Refused {
    /// The stable code, for the dead letter.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OtherCurrency { .. } => "other_currency",
            Self::ImpossibleAmount { .. } => "impossible_amount",
            Self::ImpossibleRevision(_) => "impossible_revision",
        }
    }
}
