//! What a call passes that comes in beside a gRPC server, on the admin port: a span in the caller's
//! trace, a net for panics, and our words for every error.

use std::panic::AssertUnwindSafe;

use axum::response::Response;
use futures::FutureExt;
use http::HeaderMap;
use tonic::{Status, body::Body};
use tracing::Instrument;

use super::{api::Method, layer, told};
use crate::{refusal::Refusal, tasks::panic_text};

/// Answers a call of `method`, as far as it is described, with what `answer` comes to.
pub(crate) async fn aside(
    method: Option<&Method>,
    headers: &HeaderMap,
    answer: impl Future<Output = Response>,
) -> Response {
    // Not the caller's words: they could fill the logs.
    let (service, name) =
        method.map_or(("unknown", "unknown"), |known| (&known.service, &known.name));
    let span = layer::span(None, service, name, headers);
    let done = AssertUnwindSafe(answer).catch_unwind().instrument(span.clone()).await;
    let mut response = done.unwrap_or_else(|panic| {
        let _entered = span.enter();
        tracing::error!(error = panic_text(panic.as_ref()), "a call panicked");
        Status::from(Refusal::internal()).into_http::<Body>().map(axum::body::Body::new)
    });
    told::head(response.headers_mut());
    told::trace(response.headers_mut(), &span);
    response
}
