//! Where an order stands in the five words of `orders.Orders`.

use std::fmt;

use super::{Order, Refusal, RunKind, Status};

/// The lifecycle in five words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Created; no payment was started.
    Pending,
    /// From the start of the pay run on, until the goods leave.
    Processing,
    /// The goods have left.
    Shipped,
    /// Delivered and closed.
    Completed,
    /// Cancelled, or everything was given back.
    Cancelled,
}

impl Stage {
    /// Every stage, in the order of the good way.
    pub const ALL: [Self; 5] =
        [Self::Pending, Self::Processing, Self::Shipped, Self::Completed, Self::Cancelled];

    /// The stage of a lifecycle's status, with or without an open run.
    #[must_use]
    pub const fn of(status: Status, run: RunKind) -> Self {
        match (status, run) {
            (Status::Pending, RunKind::Idle) => Self::Pending,
            (Status::Pending | Status::Reserved | Status::Paid | Status::Confirmed, _) => {
                Self::Processing
            }
            (Status::Shipped, _) => Self::Shipped,
            (Status::Completed, _) => Self::Completed,
            (Status::Canceled | Status::Refunded, _) => Self::Cancelled,
        }
    }

    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Processing => "Processing",
            Self::Shipped => "Shipped",
            Self::Completed => "Completed",
            Self::Cancelled => "Cancelled",
        }
    }

    /// The stage of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == word)
    }

    /// Words of several, for people; `none` for no stage.
    #[must_use]
    pub fn words(stages: &[Self]) -> String {
        if stages.is_empty() {
            return "none".to_owned();
        }
        let words: Vec<_> = stages.iter().map(|stage| stage.as_str()).collect();
        words.join(", ")
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Order {
    /// Where it stands, in five words.
    #[must_use]
    pub fn stage(&self) -> Stage {
        Stage::of(self.status(), self.run_kind())
    }

    /// Where a caller may take it from here.
    #[must_use]
    pub fn next_stages(&self) -> &'static [Stage] {
        match (self.stage(), self.status()) {
            (Stage::Pending, _) => &[Stage::Processing, Stage::Cancelled],
            (Stage::Processing, Status::Confirmed) => &[Stage::Shipped, Stage::Cancelled],
            // Not paid yet.
            (Stage::Processing, _) => &[Stage::Cancelled],
            (Stage::Shipped, _) => &[Stage::Completed],
            (Stage::Completed | Stage::Cancelled, _) => &[],
        }
    }

    /// Why it cannot be taken to `to` from where it is.
    #[must_use]
    pub fn cannot_become(&self, to: Stage) -> Refusal {
        Refusal::StageNotAllowed { from: self.stage(), to, allowed: self.next_stages() }
    }
}
