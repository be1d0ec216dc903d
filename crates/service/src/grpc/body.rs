//! The answer on its way out: watched to its end, ended when the service drains.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use axum::body::{Bytes, HttpBody};
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::{Code, Status, body::Body};
use tracing::Span;

use super::{gate::Admitted, meter::Meter, told};
use crate::{refusal::Refusal, tasks::panic_text};

/// A response body that reports its status. A stream that waits for more when the service begins
/// to drain ends with UNAVAILABLE: it would otherwise hold the drain up for ever.
pub(super) struct Answer {
    body: Body,
    meter: Meter,
    span: Span,
    intake: CancellationToken,
    draining: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    ended: bool,
    _admitted: Admitted,
}

impl Answer {
    pub(super) fn new(
        body: Body,
        meter: Meter,
        span: Span,
        intake: CancellationToken,
        admitted: Admitted,
    ) -> Self {
        Self { body, meter, span, intake, draining: None, ended: false, _admitted: admitted }
    }

    fn end_with(&mut self, status: &Status) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        self.ended = true;
        self.meter.finish(status.code());
        told::ended(&self.span, status.code());
        let mut trailers = HeaderMap::new();
        match status.add_header(&mut trailers) {
            Ok(()) => Poll::Ready(Some(Ok(Frame::trailers(trailers)))),
            Err(error) => Poll::Ready(Some(Err(error))),
        }
    }

    fn drains(&mut self, context: &mut Context<'_>) -> bool {
        let intake = &self.intake;
        let waiting =
            self.draining.get_or_insert_with(|| Box::pin(intake.clone().cancelled_owned()));
        waiting.as_mut().poll(context).is_ready()
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        if this.ended {
            return Poll::Ready(None);
        }
        let span = this.span.clone();
        let _entered = span.enter();
        let polled =
            catch_unwind(AssertUnwindSafe(|| Pin::new(&mut this.body).poll_frame(context)));
        match polled {
            Err(panic) => {
                tracing::error!(error = panic_text(panic.as_ref()), "a stream panicked");
                this.end_with(&Refusal::internal().into())
            }
            Ok(Poll::Pending) if this.drains(context) => this
                .end_with(&Refusal::unavailable("DRAINING", "the service is shutting down").into()),
            Ok(mut polled) => {
                match &mut polled {
                    Poll::Ready(Some(Ok(frame))) => {
                        if let Some(trailers) = frame.trailers_mut() {
                            told::trailers(trailers);
                            let code = code_of(trailers).unwrap_or(Code::Unknown);
                            this.meter.finish(code);
                            told::ended(&span, code);
                        }
                    }
                    Poll::Ready(Some(Err(status))) => {
                        this.meter.finish(status.code());
                        told::ended(&span, status.code());
                    }
                    Poll::Ready(None) => this.meter.finish(Code::Unknown),
                    Poll::Pending => {}
                }
                polled
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The status that headers or trailers carry.
pub(super) fn code_of(headers: &HeaderMap) -> Option<Code> {
    headers.get("grpc-status").map(|value| Code::from_bytes(value.as_bytes()))
}
