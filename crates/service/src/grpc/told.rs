//! What a caller is told, on its way out: every error with its reason, every answer with its trace.
//!
//! Handlers refuse with [`Refusal`], which carries details. A status without details is tonic's
//! own: about a request that never reached a handler, or an answer that could not be written.

use http::{HeaderMap, HeaderValue};
use tonic::{Code, Status};
use tracing::Span;

use super::settings::MESSAGE_IN_MAX;
use crate::refusal::Refusal;

/// The response metadata that names the trace of a call.
pub const TRACE_ID: &str = "x-trace-id";

/// Puts a status of tonic's own that `headers` carry into our words, with a reason.
pub(super) fn head(headers: &mut HeaderMap) {
    let Some(status) = bare(headers) else { return };
    let refusal = match status.code() {
        Code::OutOfRange => Refusal::new(
            Code::InvalidArgument,
            "REQUEST_TOO_LARGE",
            format!("request must be at most {MESSAGE_IN_MAX} bytes"),
        ),
        // No message, half a message, one that is none of this method's, or one that claims to be
        // compressed.
        Code::Internal => Refusal::new(
            Code::InvalidArgument,
            "REQUEST_UNREADABLE",
            "request cannot be read as a message of this method",
        ),
        Code::Unimplemented => {
            let message = match status.message() {
                "" => "unknown method",
                said => said,
            };
            Refusal::new(Code::Unimplemented, "UNIMPLEMENTED", message)
        }
        _ => return,
    };
    replace(headers, refusal);
}

/// As [`head`], for the trailers: there tonic says only that the answer could not be written.
pub(super) fn trailers(headers: &mut HeaderMap) {
    let Some(status) = bare(headers) else { return };
    if matches!(status.code(), Code::OutOfRange | Code::Internal) {
        tracing::error!(error = status.message(), "an answer could not be written");
        replace(headers, Refusal::internal());
    }
}

/// The failed status in `headers`, if it has no details.
fn bare(headers: &HeaderMap) -> Option<Status> {
    let status = Status::from_header_map(headers)?;
    (status.code() != Code::Ok && status.details().is_empty()).then_some(status)
}

fn replace(headers: &mut HeaderMap, refusal: Refusal) {
    // Ours are ASCII once encoded; what could not be written would leave tonic's status as it was.
    if let Err(error) = Status::from(refusal).add_header(headers) {
        tracing::error!(%error, "a status could not be written");
    }
}

/// Names the call's trace in the response metadata.
pub(super) fn trace(headers: &mut HeaderMap, span: &Span) {
    let trace = oms_telemetry::trace_id_of(span);
    if let Some(value) = trace.and_then(|id| HeaderValue::try_from(id).ok()) {
        headers.insert(TRACE_ID, value);
    }
}

/// Notes in the call's span how it ended; what is no fault of the caller's is an error.
pub(super) fn ended(span: &Span, code: Code) {
    if span.is_disabled() {
        return;
    }
    span.record("rpc.grpc.status_code", i32::from(code));
    if matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    ) {
        oms_telemetry::failed(span, code.description());
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "a test speaks as tonic does")]
mod tests {
    use tonic_types::StatusExt;

    use super::*;

    fn said(of: fn(&mut HeaderMap), status: &Status) -> (Code, String, Option<String>) {
        let mut headers = HeaderMap::new();
        status.add_header(&mut headers).unwrap();
        of(&mut headers);
        let told = Status::from_header_map(&headers).unwrap();
        let reason = told.get_details_error_info().map(|info| info.reason);
        (told.code(), told.message().to_owned(), reason)
    }

    #[test]
    fn a_status_of_tonics_own_gets_a_reason() {
        let reason = |status: Status| {
            let (code, _, reason) = said(head, &status);
            (code, reason.unwrap_or_default())
        };
        let invalid = |reason: &str| (Code::InvalidArgument, reason.to_owned());
        assert_eq!(reason(Status::out_of_range("too large")), invalid("REQUEST_TOO_LARGE"));
        assert_eq!(reason(Status::internal("garbage")), invalid("REQUEST_UNREADABLE"));
        let (code, message, reason) = said(head, &Status::unimplemented(""));
        assert_eq!((code, message.as_str()), (Code::Unimplemented, "unknown method"));
        assert_eq!(reason.as_deref(), Some("UNIMPLEMENTED"));
    }

    #[test]
    fn an_answer_that_cannot_be_written_is_our_own_fault() {
        let (code, message, reason) = said(trailers, &Status::out_of_range("5 MB"));
        assert_eq!((code, message.as_str()), (Code::Internal, "internal error"));
        assert_eq!(reason.as_deref(), Some("INTERNAL"));
    }

    #[test]
    fn what_has_details_is_left_as_it_is() {
        for of in [head as fn(&mut HeaderMap), trailers] {
            let (code, message, reason) = said(of, &Refusal::internal().into());
            assert_eq!((code, message.as_str()), (Code::Internal, "internal error"));
            assert_eq!(reason.as_deref(), Some("INTERNAL"));
        }
        let mut fine = HeaderMap::new();
        head(&mut fine);
        assert!(fine.is_empty());
    }
}
