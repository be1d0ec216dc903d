//! A walk over letters call by call, which keeps what was done when it ends early.

use oms_proto::oms_admin_v1::DeadLetterResult;

use crate::cli::{Exit, Failure};

/// Calls at most; each takes what the service takes in one call.
const CALLS_MAX: usize = 10_000;

/// What a walk has come to so far.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// What became of each letter, in order.
    pub(super) results: Vec<DeadLetterResult>,
    /// Where it goes on; empty at its end.
    pub(super) token: String,
    calls: usize,
}

impl Walk {
    /// Calls until no token is left. After a failure, what was collected before stays in `self`.
    pub(super) async fn go(
        &mut self,
        mut call: impl AsyncFnMut(String) -> Result<(Vec<DeadLetterResult>, String), Failure>,
    ) -> Result<(), Failure> {
        self.token.clear();
        loop {
            if self.calls >= CALLS_MAX {
                let message = format!("{CALLS_MAX} calls have not been enough, and there is more");
                return Err(Failure::new(Exit::Unavailable, message)
                    .next("run the same command again, or name fewer letters"));
            }
            self.calls += 1;
            let (results, token) = call(self.token.clone()).await?;
            self.results.extend(results);
            self.token = token;
            if self.token.is_empty() {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn run<T>(test: impl Future<Output = T>) -> Option<T> {
        test.now_or_never()
    }

    fn one() -> Vec<DeadLetterResult> {
        vec![DeadLetterResult::default()]
    }

    #[test]
    fn what_was_done_before_a_failure_is_kept_with_where_it_goes_on() {
        let mut walk = Walk::default();
        let mut asked = Vec::new();
        let ended = run(walk.go(async |token| {
            asked.push(token);
            match asked.len() {
                3 => Err(Failure::new(Exit::Fault, "broken")),
                calls => Ok((one(), format!("{calls}"))),
            }
        }));
        assert_eq!(ended, Some(Err(Failure::new(Exit::Fault, "broken"))));
        assert_eq!((walk.results.len(), walk.token.as_str()), (2, "2"));
        assert_eq!(asked, ["", "1", "2"]);
    }

    #[test]
    fn a_walk_without_end_is_a_failure_and_not_done() {
        let mut walk = Walk::default();
        let ended = run(walk.go(async |_| Ok((one(), "more".to_owned()))));
        assert_eq!(
            ended.and_then(Result::err).map(|failure| failure.exit),
            Some(Exit::Unavailable)
        );
        assert_eq!(walk.results.len(), CALLS_MAX);
    }
}
