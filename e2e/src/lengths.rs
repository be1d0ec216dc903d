//! How long faults last.

use std::time::Duration;

/// Durations of the stories' faults.
#[derive(Clone, Copy, Debug)]
pub struct Lengths {
    /// Load before a fault and after it.
    pub calm: Duration,
    /// The broker is away.
    pub broker: Duration,
    /// A database is away.
    pub database: Duration,
    /// A service is away.
    pub service: Duration,
    /// Services are killed, one after the other.
    pub storm: Duration,
}

impl Lengths {
    /// Long enough to show the same as at full length, for every change.
    pub const SHORT: Self = Self::seconds(2, 10, 8, 3, 30);
    /// As the system was specified.
    pub const FULL: Self = Self::seconds(5, 60, 20, 20, 300);

    const fn seconds(calm: u64, broker: u64, database: u64, service: u64, storm: u64) -> Self {
        Self {
            calm: Duration::from_secs(calm),
            broker: Duration::from_secs(broker),
            database: Duration::from_secs(database),
            service: Duration::from_secs(service),
            storm: Duration::from_secs(storm),
        }
    }
}
