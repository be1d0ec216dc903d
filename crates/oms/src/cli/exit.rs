//! How a command ends: exit codes that scripts can use, and errors with the next step.

use std::{fmt, io::Write, process::ExitCode, time::Duration};

use serde_json::{Value, json};
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// The table of exit codes, as `--help` shows it.
pub(crate) const CODES: &str = "\
Exit codes:
  0  done
  1  refused: the order's status, the stock or the payment does not allow it,
     the order has another version than the one insisted on, or the outcome is not
     the one that was asked for
  2  the command line or the request is wrong; do not repeat it
  3  no such order, SKU, payment, dead letter or topic
  4  not reachable, busy, or not known in time; repeat it
  5  a fault of the system or of this program";

/// Exit codes; the numbers are an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Refused, or another outcome than the one asked for.
    Refused = 1,
    /// The command line or the request is wrong.
    Usage = 2,
    /// There is no such thing.
    NotFound = 3,
    /// Not reachable or not known in time.
    Unavailable = 4,
    /// A fault.
    Fault = 5,
}

impl Exit {
    /// What a status code means to a script. Codes that tonic may add are faults.
    fn of(code: Code) -> Self {
        match code {
            Code::FailedPrecondition | Code::ResourceExhausted | Code::AlreadyExists => {
                Self::Refused
            }
            Code::InvalidArgument | Code::OutOfRange => Self::Usage,
            Code::NotFound => Self::NotFound,
            Code::Unavailable | Code::Aborted | Code::DeadlineExceeded | Code::Cancelled => {
                Self::Unavailable
            }
            _ => Self::Fault,
        }
    }
}

/// Why a command did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// How the process ends.
    pub(crate) exit: Exit,
    /// For people, one line.
    pub(crate) message: String,
    /// The stable reason of a service, where one refused.
    pub(crate) reason: Option<String>,
    /// The status code, where a service or the transport gave one.
    pub(crate) code: Option<Code>,
    /// Everything that is wrong, one line each.
    pub(crate) violations: Vec<String>,
    /// When the service wants to be asked again.
    pub(crate) retry_after: Option<Duration>,
    /// What to do next, one line each.
    pub(crate) next: Vec<String>,
}

impl Failure {
    /// A failure of this program's own finding.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            reason: None,
            code: None,
            violations: Vec::new(),
            retry_after: None,
            next: Vec::new(),
        }
    }

    /// The same, with the next step.
    #[must_use]
    pub(crate) fn next(mut self, step: impl Into<String>) -> Self {
        self.next.push(step.into());
        self
    }

    /// Where it is not known whether the call happened: this step, instead of those that hold for
    /// any call.
    #[must_use]
    pub(crate) fn unless_known(mut self, step: impl FnOnce() -> String) -> Self {
        if self.exit != Exit::Unavailable {
            return self;
        }
        if self.code.is_some() {
            self.next.clear();
        }
        self.next(step())
    }

    /// The lines on standard error.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = vec![match &self.reason {
            Some(reason) if reason != "INVALID_ARGUMENT" => format!("{} ({reason})", self.message),
            _ => self.message.clone(),
        }];
        // The first violation is the message itself.
        if self.violations.len() > 1 || self.violations.first() != Some(&self.message) {
            lines.extend(self.violations.iter().map(|what| format!("  - {what}")));
        }
        lines.extend(self.next.iter().map(|step| format!("next: {step}")));
        lines
    }

    /// Says it on standard error, for people or as one document, and gives the exit code.
    pub(crate) fn tell(&self, json: bool) -> ExitCode {
        let mut stderr = std::io::stderr().lock();
        // Nobody is left to tell when standard error is closed.
        if json {
            let _ = writeln!(stderr, "{}", self.document());
        } else {
            for line in self.lines().iter().flat_map(|line| line.lines()) {
                let _ = writeln!(stderr, "oms: {line}");
            }
        }
        ExitCode::from(self.exit as u8)
    }

    /// The same as one JSON document.
    pub(crate) fn document(&self) -> Value {
        json!({ "error": {
            "exit_code": self.exit as u8,
            "code": self.code.map(code_name),
            "reason": self.reason,
            "message": self.message,
            "violations": self.violations,
            "next": self.next,
        }})
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines().join("\n"))
    }
}

impl std::error::Error for Failure {}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        let details = status.get_error_details();
        // Only this side's own transport gives a source: nobody answered, or no more.
        let lost = std::error::Error::source(&status).is_some();
        // What tonic says on either side when the deadline of a call has passed. It says CANCELLED,
        // too, of a call whose connection closed before it was sent.
        let late = match status.code() {
            Code::Cancelled => status.message() == "Timeout expired",
            code => code == Code::DeadlineExceeded && lost,
        };
        let (code, message) = match status.code() {
            _ if late => {
                (Code::DeadlineExceeded, "no answer in time; --deadline sets how long to wait")
            }
            _ if lost => (Code::Unavailable, "the connection was lost"),
            code if status.message().is_empty() => (code, code.description()),
            code => (code, status.message()),
        };
        let violations = details
            .bad_request()
            .map(|bad| bad.field_violations.iter().map(|v| v.description.clone()).collect());
        let reason = details.error_info().map(|info| info.reason.clone());
        // ABORTED as well, but repeating it as it is never helps.
        let other_version = reason.as_deref() == Some("ORDER_VERSION_MISMATCH");
        let next = if other_version { Vec::new() } else { steps(code, reason.as_deref()) };
        Self {
            exit: if other_version { Exit::Refused } else { Exit::of(code) },
            reason,
            code: Some(code),
            violations: violations.unwrap_or_default(),
            retry_after: details.retry_info().and_then(|info| info.retry_delay),
            next,
            ..Self::new(Exit::Fault, message)
        }
    }
}

/// What can be done about a refusal, whatever the command was.
fn steps(code: Code, reason: Option<&str>) -> Vec<String> {
    let step = match code {
        Code::NotFound if reason == Some("SERVICE_NOT_HERE") => {
            "name the admin port of that service's process with --admin-addr"
        }
        Code::Unavailable | Code::Aborted => "try again in a moment",
        Code::Unimplemented => "the service is older than this program: start the same version",
        Code::Internal | Code::Unknown | Code::DataLoss => "look into the service's log",
        _ => return Vec::new(),
    };
    vec![step.to_owned()]
}

/// `FAILED_PRECONDITION` for the code of that name.
pub(crate) fn code_name(code: Code) -> String {
    let mut name = String::new();
    for (at, letter) in format!("{code:?}").char_indices() {
        if at > 0 && letter.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use tonic_types::ErrorDetails;

    use super::*;

    #[test]
    fn every_code_that_a_service_gives_has_an_exit_code() {
        for (code, exit) in [
            (Code::FailedPrecondition, 1),
            (Code::ResourceExhausted, 1),
            (Code::InvalidArgument, 2),
            (Code::NotFound, 3),
            (Code::Unavailable, 4),
            (Code::Aborted, 4),
            (Code::DeadlineExceeded, 4),
            (Code::Internal, 5),
            (Code::Unimplemented, 5),
        ] {
            assert_eq!(Exit::of(code) as u8, exit, "{code:?}");
            assert!(CODES.contains(&format!("\n  {exit}  ")), "{exit} is not documented");
        }
    }

    #[test]
    fn details_of_a_status_are_told() {
        let mut details = ErrorDetails::new();
        details.set_error_info("INVALID_ARGUMENT", "oms", [("k".to_owned(), "v".to_owned())]);
        details.add_bad_request_violation("currency", "currency is required");
        details.add_bad_request_violation("items", "too many");
        let message = "currency is required";
        let status = Status::with_error_details(Code::InvalidArgument, message, details);
        let failure = Failure::from(status);
        assert_eq!(failure.lines(), [message, "  - currency is required", "  - too many"]);
        assert_eq!(failure.document()["error"]["code"], "INVALID_ARGUMENT");
        assert_eq!(failure.document()["error"]["exit_code"], 2);
    }

    #[test]
    fn a_deadline_that_passed_is_told_alike_whichever_side_noticed() {
        let failure = Failure::from(Status::cancelled("Timeout expired"));
        assert_eq!((failure.exit, failure.code), (Exit::Unavailable, Some(Code::DeadlineExceeded)));
    }

    #[test]
    fn a_call_whose_connection_closed_before_it_was_sent_may_be_tried_again() {
        let mut status = Status::cancelled("operation was canceled");
        status.set_source(std::sync::Arc::new(std::io::Error::other("connection closed")));
        let failure = Failure::from(status);
        assert_eq!((failure.exit, failure.code), (Exit::Unavailable, Some(Code::Unavailable)));
        assert_eq!(failure.message, "the connection was lost");
    }

    #[test]
    fn the_only_violation_is_not_told_twice() {
        let mut failure = Failure::new(Exit::Usage, "currency is required");
        failure.violations = vec![failure.message.clone()];
        assert_eq!(failure.lines(), ["currency is required"]);
    }
}
