//! The steps of a run, as they are timed: what takes long, and how it ends.

use chrono::{DateTime, Utc};

use super::{Milestone, Order, Run, Status, StatusReason};

/// A step of a pay run, or a refund run as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// From PayOrder until inventory's word was heard.
    Reserve,
    /// From there until payment's word was heard.
    Pay,
    /// From RefundOrder until payment's word was heard.
    Refund,
}

impl Step {
    /// Its word in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reserve => "reserve",
            Self::Pay => "pay",
            Self::Refund => "refund",
        }
    }
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepEnd {
    /// The other service did it.
    Done,
    /// The other service could not.
    Refused,
    /// It took too long.
    Late,
    /// The customer cancelled meanwhile.
    Canceled,
}

impl StepEnd {
    /// Its word in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Late => "late",
            Self::Canceled => "canceled",
        }
    }

    /// How the step ends that a cancellation for this reason cuts off.
    pub(super) fn of(code: &str) -> Self {
        match code {
            StatusReason::CUSTOMER => Self::Canceled,
            StatusReason::DEADLINE_EXCEEDED | StatusReason::RESERVATION_EXPIRED => Self::Late,
            _ => Self::Refused,
        }
    }
}

impl Order {
    /// The step of the open run ends. Called before the status follows: it tells which step it is.
    pub(super) fn end_step(&mut self, end: StepEnd, at: DateTime<Utc>) {
        let Some(run) = self.run() else { return };
        let began = run.started_at();
        let (step, since) = match run {
            // RESERVED is the latest entry of the timeline as a rule.
            Run::Pay { .. } if self.status() == Status::Reserved => {
                (Step::Pay, self.updated_at().max(began))
            }
            Run::Pay { .. } => (Step::Reserve, began),
            Run::Refund { .. } => (Step::Refund, began),
            Run::Amend { .. } => return,
        };
        self.reach(Milestone::StepEnded { step, end, lasted: at - since });
    }
}
