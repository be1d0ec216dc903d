//! What is going on with an order across the services: at most one run at a time.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Line;

/// An open run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Run {
    /// Reserve, pay, confirm.
    Pay {
        /// Names the run in traces and metrics.
        saga_id: Uuid,
        /// Past it the order cancels.
        deadline: DateTime<Utc>,
        /// When it began.
        started_at: DateTime<Utc>,
    },
    /// What is held and paid is to follow other lines. Ends by an answer or by a cancellation, not
    /// by time.
    Amend {
        /// Names the run in traces.
        saga_id: Uuid,
        /// What the order is to have; its lines in force stay the order's own until the end.
        lines: Vec<Line>,
        /// When it began.
        started_at: DateTime<Utc>,
    },
    /// Money goes back because a customer asked for it.
    Refund {
        /// The refund the run waits for.
        refund_id: Uuid,
        /// When it began.
        started_at: DateTime<Utc>,
    },
}

impl Run {
    /// What kind of run it is.
    #[must_use]
    pub const fn kind(&self) -> RunKind {
        match self {
            Self::Pay { .. } => RunKind::Pay,
            Self::Amend { .. } => RunKind::Amend,
            Self::Refund { .. } => RunKind::Refund,
        }
    }

    /// When it began.
    #[must_use]
    pub const fn started_at(&self) -> DateTime<Utc> {
        match self {
            Self::Pay { started_at, .. }
            | Self::Amend { started_at, .. }
            | Self::Refund { started_at, .. } => *started_at,
        }
    }
}

/// The kind of an open run, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RunKind {
    /// No run is open.
    Idle,
    /// A pay run.
    Pay,
    /// An amend run.
    Amend,
    /// A refund run.
    Refund,
}

impl RunKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Idle, Self::Pay, Self::Amend, Self::Refund];

    /// Its word in the database; empty when no run is open.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "",
            Self::Pay => "pay",
            Self::Amend => "amend",
            Self::Refund => "refund",
        }
    }
}
