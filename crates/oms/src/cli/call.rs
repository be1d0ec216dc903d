//! One call: its deadline, its key, and its retries with the same key.

use tonic::{Request, Response, Status, metadata::AsciiMetadataValue};

use super::{Exit, Failure, KeyFlags, Session, retry::Retry};

/// The request metadata that makes a repeated call one effect.
const KEY: &str = "idempotency-key";
/// The response metadata of an answer that was given before.
const REPLAYED: &str = "idempotency-replayed";

/// An answer, and whether it is the first one of its key again.
pub(crate) struct Answered<A> {
    pub(crate) answer: A,
    pub(crate) replayed: bool,
}

impl Session {
    /// A call that reads.
    pub(crate) async fn ask<Q, A, F>(
        &self,
        request: Q,
        send: impl Fn(Request<Q>) -> F,
    ) -> Result<A, Failure>
    where
        Q: Clone,
        F: Future<Output = Result<Response<A>, Status>>,
    {
        self.call(request, None, send).await.map(|answered| answered.answer)
    }

    /// A call that changes something, under `--key` or a new one; where it is not known whether it
    /// happened, the key is told.
    pub(crate) async fn change<Q, A, F>(
        &self,
        request: Q,
        key: &KeyFlags,
        send: impl Fn(Request<Q>) -> F,
    ) -> Result<A, Failure>
    where
        Q: Clone,
        F: Future<Output = Result<Response<A>, Status>>,
    {
        let key = self.key(key);
        let changed = self.change_by(request, &key, send).await;
        let changed = changed.map_err(|failure| failure.unless_known(|| again(&key)))?;
        Ok(changed.answer)
    }

    /// The same under this very key, for commands that word the next step themselves.
    pub(crate) async fn change_by<Q, A, F>(
        &self,
        request: Q,
        key: &str,
        send: impl Fn(Request<Q>) -> F,
    ) -> Result<Answered<A>, Failure>
    where
        Q: Clone,
        F: Future<Output = Result<Response<A>, Status>>,
    {
        self.out.verbose(|| format!("idempotency key {key}"));
        self.call(request, Some(key), send).await
    }

    /// The key that was given, or a new one.
    pub(crate) fn key(&self, given: &KeyFlags) -> String {
        given.key.clone().unwrap_or_else(|| format!("oms-{}", self.seams.ids.next()))
    }

    async fn call<Q, A, F>(
        &self,
        request: Q,
        key: Option<&str>,
        send: impl Fn(Request<Q>) -> F,
    ) -> Result<Answered<A>, Failure>
    where
        Q: Clone,
        F: Future<Output = Result<Response<A>, Status>>,
    {
        let metadata = key.map(metadata).transpose()?;
        let mut retry = Retry::new(self.flags.calls.retries);
        loop {
            let mut call = Request::new(request.clone());
            call.set_timeout(self.flags.calls.deadline);
            if let Some(value) = &metadata {
                call.metadata_mut().insert(KEY, value.clone());
            }
            match send(call).await {
                Ok(answer) => {
                    let replayed = answer.metadata().contains_key(REPLAYED);
                    if replayed {
                        self.out.verbose(|| "the answer was given before".to_owned());
                    }
                    return Ok(Answered { answer: answer.into_inner(), replayed });
                }
                Err(status) => {
                    let failure = Failure::from(status);
                    let Some(pause) = retry.pause(&failure) else { return Err(failure) };
                    let why = &failure.message;
                    self.out.verbose(|| format!("{why}: again in {pause:?}"));
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }
}

/// The step of a command that has `--key`.
pub(crate) fn again(key: &str) -> String {
    format!("the same call again is safe with --key {key}")
}

fn metadata(key: &str) -> Result<AsciiMetadataValue, Failure> {
    key.parse().map_err(|_| Failure::new(Exit::Usage, "--key: printable ASCII characters only"))
}
