//! Named places at which a test may let the process die.
//!
//! A crash is modelled as it is in life: the code at the fault point does not get an error, it
//! simply never goes on. Whoever planned the crash learns of it through its [`FaultPlan`], drops
//! every task of the service and starts a new one on the same database.

use std::{fmt::Debug, sync::Arc};

/// What a plan says when execution reaches a fault point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Go on.
    Proceed,
    /// The process dies here.
    Crash,
}

/// Decides at which fault points a process dies.
pub trait FaultPlan: Debug + Send + Sync {
    /// Called each time execution reaches `point`, for example `relay.after_publish`.
    fn reached(&self, point: &'static str) -> Verdict;
}

/// The fault points of one service. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Faults(Option<Arc<dyn FaultPlan>>);

impl Faults {
    /// No faults, which is what production runs with.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    /// Faults by a plan.
    #[must_use]
    pub fn planned(plan: Arc<dyn FaultPlan>) -> Self {
        Self(Some(plan))
    }

    /// Marks a fault point. Returns at once, or never.
    pub async fn hit(&self, point: &'static str) {
        if let Some(plan) = &self.0
            && plan.reached(point) == Verdict::Crash
        {
            std::future::pending::<()>().await;
        }
    }
}
