//! Until when a call may wait: a little before its caller gives up.

use std::time::Duration;

pub(super) use oms_service::answer_by as named;
use tokio::time::Instant;
use tonic::metadata::MetadataMap;

/// When a call that came in now has to answer; `default` from now when the caller named no time.
pub(super) fn of(metadata: &MetadataMap, default: Duration) -> Instant {
    named(metadata).unwrap_or_else(|| Instant::now() + default)
}

#[cfg(test)]
mod tests {
    use super::*;

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
