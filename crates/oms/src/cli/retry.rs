//! How often and how soon a call is tried again.

use std::time::Duration;

use tonic::Code;

use super::Failure;

/// The first pause where the service names none; it doubles.
const PAUSE_FIRST: Duration = Duration::from_millis(200);
/// The longest pause, also when the service asks for a longer one.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Counts the tries of one call, or of one stream until it makes progress.
#[derive(Debug)]
pub(crate) struct Retry {
    left: u32,
    pause: Duration,
}

impl Retry {
    /// So many further tries.
    pub(crate) fn new(retries: u32) -> Self {
        Self { left: retries, pause: PAUSE_FIRST }
    }

    /// How long to wait before the next try, or `None` when there is none: the bound is reached,
    /// or another try would end the same.
    pub(crate) fn pause(&mut self, failure: &Failure) -> Option<Duration> {
        if !worth_it(failure) || self.left == 0 {
            return None;
        }
        self.left -= 1;
        let pause = failure.retry_after.unwrap_or(self.pause).min(PAUSE_MAX);
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        Some(pause)
    }
}

/// Whether a call that failed so may succeed when it is repeated as it is.
fn worth_it(failure: &Failure) -> bool {
    // The version the caller insists on does not come back.
    let version = failure.reason.as_deref() == Some("ORDER_VERSION_MISMATCH");
    matches!(failure.code, Some(Code::Unavailable | Code::Aborted)) && !version
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Exit;

    fn failure(code: Code, reason: &str, after: Option<Duration>) -> Failure {
        Failure {
            code: Some(code),
            reason: Some(reason.to_owned()),
            retry_after: after,
            ..Failure::new(Exit::Unavailable, "x")
        }
    }

    #[test]
    fn the_service_says_when_and_the_bound_says_how_often() {
        let mut retry = Retry::new(2);
        let soon = Duration::from_millis(7);
        let asked = failure(Code::Aborted, "ORDER_BUSY", Some(soon));
        assert_eq!(retry.pause(&asked), Some(soon));
        assert_eq!(
            retry.pause(&failure(Code::Unavailable, "DRAINING", None)),
            Some(PAUSE_FIRST * 2)
        );
        assert_eq!(retry.pause(&asked), None);
    }

    #[test]
    fn no_service_can_make_us_wait_for_long() {
        let late = failure(Code::Unavailable, "STARTING", Some(Duration::from_secs(3_600)));
        assert_eq!(Retry::new(1).pause(&late), Some(PAUSE_MAX));
    }

    #[test]
    fn what_would_end_the_same_is_not_repeated() {
        for (code, reason) in [
            (Code::FailedPrecondition, "ORDER_NOT_PENDING"),
            (Code::InvalidArgument, "INVALID_ARGUMENT"),
            (Code::DeadlineExceeded, "REFUND_RUNNING"),
            (Code::Aborted, "ORDER_VERSION_MISMATCH"),
        ] {
            assert_eq!(Retry::new(9).pause(&failure(code, reason, None)), None, "{reason}");
        }
    }
}
