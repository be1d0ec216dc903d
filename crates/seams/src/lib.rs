//! What a test may replace: time, ids, and the places where a process may die.
//!
//! Everything else in OMS is real in a test. Production passes [`SystemClock`], [`SystemIds`] and
//! [`Faults::none`]; tests and the simulator pass their own. Nothing here is global, because three
//! services share a process in `oms run`.
#![forbid(unsafe_code)]

mod clock;
mod faults;
mod ids;

pub use clock::{Clock, SystemClock};
pub use faults::{FaultPlan, Faults, Verdict};
pub use ids::{Ids, SystemIds};

use std::sync::Arc;

/// The three seams together, as a host hands them to its services. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Seams {
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// Fresh ids.
    pub ids: Arc<dyn Ids>,
    /// Named fault points.
    pub faults: Faults,
}

impl Seams {
    /// The real thing: the machine's clock, UUIDv7, no faults.
    #[must_use]
    pub fn system() -> Self {
        Self { clock: Arc::new(SystemClock), ids: Arc::new(SystemIds), faults: Faults::none() }
    }
}
