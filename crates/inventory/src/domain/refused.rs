//! What the domain refuses, with stable codes.

/// A fact that no interleaving of the saga can produce. It is loud: the event is dead-lettered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The fact does not fit the reservation's state.
    #[error("{fact} does not fit a reservation that is {state}")]
    Transition {
        /// What was said.
        fact: &'static str,
        /// Where the reservation stands.
        state: &'static str,
    },
    /// Lines in force that the hold does not cover (I1).
    #[error("revision {revision} is in force with lines that are not held")]
    NotCovered {
        /// The revision confirmed or shipped.
        revision: i32,
    },
    /// Lines no order can have.
    #[error("malformed lines: {0}")]
    Malformed(String),
    /// The stock row holds less than the reservations say (I1): somebody wrote past this service.
    #[error("stock of {sku:?} holds less than its reservations")]
    OutOfBalance {
        /// The SKU.
        sku: String,
    },
}

impl Refused {
    /// The stable code, for metrics and dead letters.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Transition { .. } | Self::NotCovered { .. } => "refused_transition",
            Self::Malformed(_) => "malformed_data",
            Self::OutOfBalance { .. } => "stock_out_of_balance",
        }
    }
}

/// Why a command on stock was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StockRefused {
    /// Nobody ever received this SKU.
    #[error("sku not found")]
    UnknownSku,
    /// The adjustment would take more than is available.
    #[error("adjustment would leave less than zero available")]
    BelowZero,
    /// More units than a stock row may count.
    #[error("stock would exceed {} units", super::UNITS_MAX)]
    TooMany,
}

impl StockRefused {
    /// The stable code, as in `google.rpc.ErrorInfo`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownSku => "SKU_NOT_FOUND",
            Self::BelowZero => "STOCK_BELOW_ZERO",
            Self::TooMany => "STOCK_LIMIT",
        }
    }
}
