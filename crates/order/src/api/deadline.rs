//! Until when a call may wait: a little before its caller gives up.
//!
//! tonic's own timeout drops the handler and answers CANCELLED, which tells the caller nothing; an
//! answer of ours, a little earlier, tells what goes on.

use std::time::Duration;

use tokio::time::Instant;
use tonic::metadata::MetadataMap;

/// How long before the caller's deadline the answer leaves.
const AHEAD: Duration = Duration::from_millis(100);

/// When a call that came in now has to answer; `default` from now when the caller named no time.
pub(super) fn of(metadata: &MetadataMap, default: Duration) -> Instant {
    named(metadata).unwrap_or_else(|| Instant::now() + default)
}

/// When a call that came in now has to answer; `None` when the caller named no time.
pub(super) fn named(metadata: &MetadataMap) -> Option<Instant> {
    let wait = oms_service::deadline(metadata).map(ahead_of)?;
    // A timeout of thousands of years is legal on the wire and overflows an instant.
    Instant::now().checked_add(wait)
}

/// [`AHEAD`] of the timeout; callers with less than twice that get half of their time.
fn ahead_of(timeout: Duration) -> Duration {
    timeout.saturating_sub(AHEAD).max(timeout / 2)
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

    #[test]
    fn the_callers_own_time_counts_before_the_default() {
        let mut metadata = MetadataMap::new();
        let (before, default) = (Instant::now(), Duration::from_secs(5));
        assert!(of(&metadata, default) >= before + default);
        assert_eq!(named(&metadata), None);
        metadata.insert("grpc-timeout", "90S".parse().unwrap());
        assert!(of(&metadata, default) >= before + Duration::from_secs(89));
        metadata.insert("grpc-timeout", "99999999H".parse().unwrap());
        assert!(of(&metadata, default) > before + default);
    }
}
