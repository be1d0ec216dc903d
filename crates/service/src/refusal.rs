//! Refusals: a plain message for people, a reason and details for programs.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

/// The domain of every `google.rpc.ErrorInfo`.
pub const ERROR_DOMAIN: &str = "oms";
/// Most violations in one answer.
pub const VIOLATIONS_MAX: usize = 20;
/// Most bytes of violations in one answer: clients drop a call whose headers pass 8 KiB, and
/// details travel as base64.
pub const VIOLATIONS_BYTES_MAX: usize = 3 * 1024;
/// Longest message, in bytes; the rest is cut. It travels twice, once percent-encoded.
const MESSAGE_BYTES_MAX: usize = 512;
/// When to try again, where the refusal does not say.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// One thing that is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field, for example `items[0].sku`.
    pub field: String,
    /// What is wrong, for example `item[0].sku is required`.
    pub description: String,
}

impl Violation {
    /// A violation of `field`.
    pub fn new(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self { field: field.into(), description: description.into() }
    }
}

/// Why a call is refused, before it becomes a status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// The status code.
    pub code: Code,
    /// A stable reason for programs, for example `ORDER_NOT_PENDING`.
    pub reason: &'static str,
    /// What people read.
    pub message: String,
    /// Everything that is wrong with the request.
    pub violations: Vec<Violation>,
    /// When to try again; UNAVAILABLE and ABORTED say so even when this is `None`.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// A refusal without details.
    pub fn new(code: Code, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), violations: Vec::new(), retry_after: None }
    }

    /// INVALID_ARGUMENT with everything that is wrong; the message is the first.
    #[must_use]
    pub fn invalid(violations: Vec<Violation>) -> Self {
        let message = violations.first().map_or("invalid request", |first| &first.description);
        Self {
            violations: violations.clone(),
            ..Self::new(Code::InvalidArgument, "INVALID_ARGUMENT", message)
        }
    }

    /// INVALID_ARGUMENT with one violation.
    pub fn invalid_field(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self::invalid(vec![Violation::new(field, description)])
    }

    /// UNAVAILABLE, to be tried again.
    pub fn unavailable(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Code::Unavailable, reason, message)
    }

    /// INTERNAL; the message says nothing about the inside, the log does.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(Code::Internal, "INTERNAL", "internal error")
    }

    /// Both values, or everything that is wrong with either: a caller should not have to call once
    /// more to learn of the second.
    ///
    /// # Errors
    /// The first refusal, with the violations of both.
    pub fn both<A, B>(first: Result<A, Self>, second: Result<B, Self>) -> Result<(A, B), Self> {
        match (first, second) {
            (Ok(first), Ok(second)) => Ok((first, second)),
            (Err(first), Ok(_)) => Err(first),
            (Ok(_), Err(second)) => Err(second),
            (Err(mut first), Err(second)) => {
                first.violations.extend(second.violations);
                Err(first)
            }
        }
    }

    /// Says when to try again.
    #[must_use]
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.retry_after = Some(delay);
        self
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let Refusal { code, reason, message, violations, retry_after } = refusal;
        status(code, reason, &message, &violations, retry_after)
    }
}

pub(crate) fn status(
    code: Code,
    reason: &str,
    message: &str,
    violations: &[Violation],
    retry_after: Option<Duration>,
) -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info(reason, ERROR_DOMAIN, []);
    if !violations.is_empty() {
        details.set_bad_request(capped(violations));
    }
    let retry = match code {
        Code::Unavailable | Code::Aborted => Some(retry_after.unwrap_or(RETRY_AFTER)),
        _ => retry_after,
    };
    if let Some(delay) = retry {
        details.set_retry_info(Some(delay));
    }
    Status::with_error_details(code, cut(message, MESSAGE_BYTES_MAX), details)
}

/// At most [`VIOLATIONS_MAX`] and [`VIOLATIONS_BYTES_MAX`]; where some are left out, the last says
/// how many.
fn capped(violations: &[Violation]) -> Vec<FieldViolation> {
    /// Room for "… and N more".
    const MORE: usize = 64;
    let mut kept = Vec::new();
    let mut bytes = 0;
    for (index, violation) in violations.iter().enumerate() {
        let (left, places) = (violations.len() - index, VIOLATIONS_MAX - kept.len());
        let field = cut(&violation.field, 256);
        let description = cut(&violation.description, 512);
        bytes += field.len() + description.len() + 8;
        let fits =
            bytes + MORE <= VIOLATIONS_BYTES_MAX || (left == 1 && bytes <= VIOLATIONS_BYTES_MAX);
        if !fits || (places == 1 && left > 1) {
            kept.push(FieldViolation::new("", format!("… and {left} more")));
            break;
        }
        kept.push(FieldViolation::new(field, description));
    }
    kept
}

/// The longest beginning of `text` that has at most `max` bytes.
fn cut(text: &str, max: usize) -> &str {
    let mut end = max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
