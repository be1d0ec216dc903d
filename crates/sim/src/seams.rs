//! Time and ids of a simulation.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};
use oms_seams::{Clock, Ids};
use uuid::Uuid;

/// When every simulation begins, in microseconds since 1970: 2026-01-01.
const BEGINNING: i64 = 1_767_225_600_000_000;

/// A clock that stands still until it is put forward. Clones are the same clock.
#[derive(Clone, Debug)]
pub(crate) struct SimulatedClock(Arc<AtomicI64>);

impl Default for SimulatedClock {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(BEGINNING)))
    }
}

impl SimulatedClock {
    /// Lets time pass.
    pub(crate) fn pass(&self, time: TimeDelta) {
        self.0.fetch_add(time.num_microseconds().unwrap_or(0).max(0), Ordering::SeqCst);
    }

    /// How long the simulation has lasted.
    #[must_use]
    pub(crate) fn elapsed(&self) -> TimeDelta {
        TimeDelta::microseconds(self.0.load(Ordering::SeqCst) - BEGINNING)
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0.load(Ordering::SeqCst)).unwrap_or_default()
    }
}

/// Ids that count up: UUIDs of version 7 by the simulated clock.
#[derive(Debug)]
pub(crate) struct SimulatedIds {
    clock: SimulatedClock,
    given: AtomicU64,
}

impl SimulatedIds {
    /// Ids by this clock.
    #[must_use]
    pub(crate) fn new(clock: SimulatedClock) -> Self {
        Self { clock, given: AtomicU64::new(0) }
    }
}

impl Ids for SimulatedIds {
    fn next(&self) -> Uuid {
        let millis = self.clock.now().timestamp_millis().unsigned_abs();
        let number = self.given.fetch_add(1, Ordering::SeqCst);
        let high = (u128::from(millis & 0xFFFF_FFFF_FFFF) << 16) | 0x7000;
        Uuid::from_u128((high << 64) | (0b10 << 62) | u128::from(number & (u64::MAX >> 2)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_of_version_seven_rise_and_follow_the_clock() {
        let clock = SimulatedClock::default();
        let ids = SimulatedIds::new(clock.clone());
        let (a, b) = (ids.next(), ids.next());
        clock.pass(TimeDelta::seconds(1));
        let c = ids.next();
        assert!(a < b && b < c);
        assert_eq!(a.get_version_num(), 7);
        assert_eq!(clock.elapsed(), TimeDelta::seconds(1));
    }
}
