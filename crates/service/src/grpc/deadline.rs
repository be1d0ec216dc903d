//! The caller's deadline.

use std::time::Duration;

use http::HeaderMap;
use tokio::time::Instant;
use tonic::metadata::MetadataMap;

/// The deadline of a caller that names none.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(5);

/// How long before the caller's deadline an answer leaves that tells what goes on.
const AHEAD: Duration = Duration::from_millis(100);

/// Until when a call that came in now may wait: a little before its caller gives up; `None` when
/// the caller named no time. tonic's own timeout drops the handler and answers CANCELLED, which
/// tells the caller nothing.
#[must_use]
pub fn answer_by(metadata: &MetadataMap) -> Option<Instant> {
    let wait = deadline(metadata).map(ahead_of)?;
    // A timeout of thousands of years is legal on the wire and overflows an instant.
    Instant::now().checked_add(wait)
}

/// [`AHEAD`] of the timeout; callers with less than twice that get half of their time.
fn ahead_of(timeout: Duration) -> Duration {
    timeout.saturating_sub(AHEAD).max(timeout / 2)
}

/// How long the caller waits, from `grpc-timeout`. What does not parse counts as absent.
///
/// Source: gRPC over HTTP/2, "Timeout": at most eight digits and one unit.
#[must_use]
pub fn deadline(metadata: &MetadataMap) -> Option<Duration> {
    timeout(metadata.as_ref())
}

/// When the time of a caller that calls now is over. It begins before tonic's own clock does, so
/// that it ends before, too.
pub(super) fn ends(headers: &HeaderMap) -> Option<Instant> {
    // A timeout of thousands of years is legal on the wire and overflows an instant.
    timeout(headers).and_then(|limit| Instant::now().checked_add(limit))
}

fn timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(value * 3_600)),
        "M" => Some(Duration::from_secs(value * 60)),
        "S" => Some(Duration::from_secs(value)),
        "m" => Some(Duration::from_millis(value)),
        "u" => Some(Duration::from_micros(value)),
        "n" => Some(Duration::from_nanos(value)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_leaves_before_the_caller_gives_up() {
        assert_eq!(ahead_of(Duration::from_secs(2)), Duration::from_millis(1_900));
        assert_eq!(ahead_of(Duration::from_millis(150)), Duration::from_millis(75));
        assert_eq!(ahead_of(Duration::ZERO), Duration::ZERO);
    }
}
