//! What an order says to the other services, and what its metrics count.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{AmendmentEnd, Line, Money, Step, StepEnd};

/// A fact of this service, to be announced in the order in which it came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The order exists.
    Created {
        /// What is ordered.
        lines: Vec<Line>,
        /// What it costs.
        total: Money,
    },
    /// The pay run begins.
    Submitted {
        /// The run.
        saga_id: Uuid,
        /// Always 1.
        revision: i32,
        /// What to hold.
        lines: Vec<Line>,
        /// What is due.
        total: Money,
        /// How to pay.
        method: String,
        /// When the run ends by itself.
        deadline: DateTime<Utc>,
    },
    /// Other lines are wished for.
    Amended {
        /// The run.
        saga_id: Uuid,
        /// Above 1.
        revision: i32,
        /// What the order is to have.
        lines: Vec<Line>,
        /// What it is to cost.
        total: Money,
        /// The revision in force.
        settled_revision: i32,
        /// Its lines.
        settled_lines: Vec<Line>,
        /// What they cost.
        settled_total: Money,
        /// How to pay what it costs more; as the order was paid when absent.
        method: Option<String>,
    },
    /// What is in force now.
    Confirmed {
        /// The run that ends.
        saga_id: Option<Uuid>,
        /// The revision in force.
        revision: i32,
        /// Its lines.
        lines: Vec<Line>,
        /// What they cost.
        total: Money,
        /// Whether the run's wish was granted.
        accepted: bool,
    },
    /// The order is cancelled.
    Canceled {
        /// The pay run, if there ever was one.
        saga_id: Option<Uuid>,
        /// The status reason's code.
        code: String,
        /// Who decided.
        by: By,
    },
    /// Money is to be given back.
    RefundRequested {
        /// Names the refund; also names the run.
        refund_id: Uuid,
        /// How much.
        amount: Money,
        /// The customer's words.
        reason: String,
    },
    /// Everything was given back by refunds.
    Refunded {
        /// The refund that did it.
        refund_id: Uuid,
        /// Whether inventory is to give the hold back.
        release: bool,
    },
    /// The goods leave the house.
    Shipped {
        /// The pay run.
        saga_id: Option<Uuid>,
        /// The revision in force.
        revision: i32,
        /// Its lines.
        lines: Vec<Line>,
    },
    /// Delivered and closed.
    Completed {
        /// The pay run.
        saga_id: Option<Uuid>,
    },
}

/// Who cancelled an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// A call of CancelOrder.
    Customer,
    /// Inventory could not hold it, or held it too long.
    Inventory,
    /// Payment was declined.
    Payment,
    /// The pay run's deadline.
    Deadline,
}

impl By {
    /// Its word in events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Inventory => "inventory",
            Self::Payment => "payment",
            Self::Deadline => "deadline",
        }
    }
}

/// What metrics count, each exactly once, after the commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Milestone {
    /// A pay run began.
    RunStarted,
    /// A pay run ended.
    RunEnded {
        /// How.
        outcome: RunOutcome,
        /// How long it took.
        lasted: TimeDelta,
    },
    /// A step of a pay run ended, or a refund run.
    StepEnded {
        /// Which.
        step: Step,
        /// How.
        end: StepEnd,
        /// How long it took.
        lasted: TimeDelta,
    },
    /// An amend run ended.
    AmendmentEnded(AmendmentEnd),
    /// A refund that a call asked for ended.
    RefundEnded {
        /// Whether the money went back.
        succeeded: bool,
    },
    /// Something taken for an order was given back after it was cancelled.
    Compensated(Compensation),
    /// A cancelled order keeps money that could not be given back: somebody must look (I2).
    MoneyKept,
}

/// How a pay run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunOutcome {
    /// The order is CONFIRMED.
    Completed,
    /// Rejected, declined, past its deadline, or held too long.
    Failed,
    /// Cancelled by the customer.
    Canceled,
}

/// What was given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compensation {
    /// The hold.
    Stock,
    /// The money.
    Money,
}
