//! The caller's deadline.

use std::time::Duration;

use http::HeaderMap;
use tokio::time::Instant;
use tonic::metadata::MetadataMap;

/// The deadline of a caller that names none.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(5);

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
