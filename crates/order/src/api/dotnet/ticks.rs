//! Instants as .NET writes them: ticks of 100 ns since 0001-01-01 UTC.
//!
//! Source: `System.DateTime.Ticks`, and `DateTime.UnixEpoch.Ticks` for the distance of the two
//! beginnings.

use chrono::{DateTime, Utc};

/// The ticks of 1970-01-01.
const UNIX_EPOCH: i64 = 621_355_968_000_000_000;
/// Ticks of a microsecond.
const PER_MICRO: i64 = 10;

/// The ticks of so many microseconds since 1970.
pub(super) fn of_micros(micros: i64) -> i64 {
    micros.saturating_mul(PER_MICRO).saturating_add(UNIX_EPOCH)
}

/// The instant of so many ticks; `None` for one that no order was ever changed at: instants are
/// whole microseconds.
pub(super) fn instant(ticks: i64) -> Option<DateTime<Utc>> {
    if ticks % PER_MICRO != 0 {
        return None;
    }
    let micros = ticks.checked_sub(UNIX_EPOCH)? / PER_MICRO;
    DateTime::from_timestamp_micros(micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_instants_are_right_to_the_tick() {
        for (instant, ticks) in [
            ("1970-01-01T00:00:00Z", 621_355_968_000_000_000),
            ("0001-01-01T00:00:00Z", 0),
            // The document's own.
            ("2023-12-13T08:00:00Z", 638_380_512_000_000_000),
            ("2000-02-29T23:59:59.999999Z", 630_874_655_999_999_990),
            ("2026-11-25T12:34:56.000001Z", 639_312_068_960_000_010),
            ("9999-12-31T23:59:59.999999Z", 3_155_378_975_999_999_990),
        ] {
            let at: DateTime<Utc> = instant.parse().unwrap();
            assert_eq!(of_micros(at.timestamp_micros()), ticks, "{instant}");
            assert_eq!(super::instant(ticks), Some(at), "{instant}");
        }
        assert_eq!(super::instant(1), None);
        assert_eq!(super::instant(i64::MIN), None);
    }
}
