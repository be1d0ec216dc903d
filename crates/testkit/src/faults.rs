//! Crashes planned by a test: at the n-th time a fault point is reached, the service dies there.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use oms_seams::{FaultPlan, Faults, Verdict};
use tokio::sync::Notify;

/// Lets one service die at one point. Shared by the test and the service it is for.
#[derive(Debug, Default)]
pub struct CrashPlan {
    armed: Mutex<Option<(String, u64)>>,
    crashes: AtomicU64,
    crashed: Notify,
}

impl CrashPlan {
    /// A plan without a crash; arm it with [`CrashPlan::arm`].
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// The service dies when it reaches `point` for the `nth` time from now, counted from 1.
    pub fn arm(&self, point: &str, nth: u64) {
        *self.locked() = Some((point.to_owned(), nth));
    }

    /// No crash is wanted any more.
    pub fn disarm(&self) {
        *self.locked() = None;
    }

    /// How often the service has died of this plan.
    pub fn crashes(&self) -> u64 {
        self.crashes.load(Ordering::SeqCst)
    }

    /// Resolves when the service has died.
    pub async fn crashed(&self) {
        self.crashed.notified().await;
    }

    /// The fault points a service is given.
    #[must_use]
    pub fn faults(self: &Arc<Self>) -> Faults {
        Faults::planned(self.clone())
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Option<(String, u64)>> {
        self.armed.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl FaultPlan for CrashPlan {
    fn reached(&self, point: &'static str) -> Verdict {
        let mut armed = self.locked();
        let Some((at, left)) = armed.as_mut() else { return Verdict::Proceed };
        if at != point {
            return Verdict::Proceed;
        }
        *left = left.saturating_sub(1);
        if *left > 0 {
            return Verdict::Proceed;
        }
        *armed = None;
        self.crashes.fetch_add(1, Ordering::SeqCst);
        self.crashed.notify_one();
        Verdict::Crash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_nth_visit_to_the_point_is_the_last() {
        let plan = CrashPlan::new();
        plan.arm("here", 2);
        assert_eq!(plan.reached("elsewhere"), Verdict::Proceed);
        assert_eq!(plan.reached("here"), Verdict::Proceed);
        assert_eq!(plan.reached("here"), Verdict::Crash);
        plan.crashed().await;
        assert_eq!((plan.reached("here"), plan.crashes()), (Verdict::Proceed, 1));
    }
}
