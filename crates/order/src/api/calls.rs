//! What the handlers of both order APIs do around a command.

use std::future::Future;

use oms_service::{
    Host, Refusal,
    idempotency::{Answer, IdempotencyKey, REPLAYED},
};
use prost::Message;
use tonic::{
    Response, Status,
    metadata::{MetadataMap, MetadataValue},
};

use super::deadline;
use crate::commands::{CommandError, Context, Keyed, Patience, Reply};

/// Runs the commands of calls. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Calls {
    host: Host,
    context: Context,
}

impl Calls {
    /// On `host`.
    #[must_use]
    pub fn new(host: Host, context: Context) -> Self {
        Self { host, context }
    }

    pub(super) fn host(&self) -> &Host {
        &self.host
    }

    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    /// Runs a command to its end, also when the caller goes away. What it waits for it waits for
    /// until a little before its caller gives up.
    pub(super) async fn run<T, F>(
        &self,
        metadata: &MetadataMap,
        command: impl FnOnce(Context, Patience) -> F,
    ) -> Result<Reply<T>, CommandError>
    where
        T: Send + 'static,
        F: Future<Output = Result<Reply<T>, CommandError>> + Send + 'static,
    {
        let until = deadline::of(metadata, self.context.settings.call_wait());
        let context = self.context.clone();
        let command = |gone| {
            let patience = Patience::new(until, gone, context.draining.clone());
            command(context, patience)
        };
        self.host.tasks().detach_with_caller(command).await
    }
}

/// The key of a request, with how its answer is written.
pub(super) fn keyed<M: Message, T>(
    metadata: &MetadataMap,
    method: &'static str,
    message: &M,
    encode: fn(&T) -> Vec<u8>,
) -> Result<Option<Keyed<T>>, Refusal> {
    let key = IdempotencyKey::from_request(metadata, method, message)?;
    Ok(key.map(|key| Keyed { key, encode }))
}

/// What a call was told that was refused after it began something, as its key remembers it.
pub(super) fn remembered(told: Refusal) -> Answer {
    let Refusal { code, reason, message, .. } = told;
    Answer::Refused { code: code.into(), reason: reason.to_owned(), message }
}

/// The response of a reply; a replay says that it is one, also when it is a refusal.
pub(super) fn respond<T, M: Message + Default>(
    reply: Reply<T>,
    convert: fn(&T) -> M,
) -> Result<Response<M>, Status> {
    let (answer, replayed) = match reply {
        Reply::Fresh(outcome) => return Ok(Response::new(convert(&outcome))),
        Reply::Remembered { answer, replayed } => (answer.decode::<M>(), replayed),
    };
    let mut answer = answer.map(Response::new);
    if replayed {
        let metadata = match &mut answer {
            Ok(response) => response.metadata_mut(),
            Err(status) => status.metadata_mut(),
        };
        metadata.insert(REPLAYED, MetadataValue::from_static("true"));
    }
    answer
}
