//! How long to wait before the next try, and when that is.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// The instant `ms` milliseconds after `now`, in microseconds since 1970 as the tables keep it.
pub(crate) fn micros_after(now: DateTime<Utc>, ms: u64) -> i64 {
    let micros = i64::try_from(ms.saturating_mul(1_000)).unwrap_or(i64::MAX);
    now.timestamp_micros().saturating_add(micros)
}

/// The delay after `attempt` failures in a row (the first is 1): doubles from `min_ms` and stops
/// growing at `max_ms`.
pub(crate) fn delay(attempt: u32, min_ms: u64, max_ms: u64) -> Duration {
    let doublings = attempt.saturating_sub(1).min(32);
    Duration::from_millis(min_ms.saturating_mul(1_u64 << doublings).min(max_ms.max(min_ms)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_doubles_up_to_its_bound() {
        let millis = |attempt| delay(attempt, 50, 5_000).as_millis();
        assert_eq!([0, 1, 2, 3].map(millis), [50, 50, 100, 200]);
        assert_eq!([8, 100, u32::MAX].map(millis), [5_000; 3]);
        assert_eq!(delay(1, 50, 10), Duration::from_millis(50));
    }
}
