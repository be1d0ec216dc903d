//! What made a command fail, whoever noticed, in the words and exit codes of this program.

use std::path::Path;

use oms_messaging::{
    LogError,
    kafka::{ObserveError, topics::TopicsError},
};
use oms_service::{NotReady, StartError};
use tonic::Status;

use super::{Exit, Failure};

impl From<&StartError> for Failure {
    fn from(error: &StartError) -> Self {
        let exit = match error.exit_code() {
            2 => Exit::Usage,
            4 => Exit::Unavailable,
            _ => Exit::Fault,
        };
        match error {
            StartError::Config(wrong) if wrong.violations().len() > 1 => {
                let violations = wrong.violations().to_vec();
                Self { violations, ..Self::new(exit, "the settings are wrong") }
            }
            _ => Self::new(exit, error.to_string()),
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        if let Some(failure) = error.downcast_ref::<Self>() {
            return failure.clone();
        }
        if let Some(start) = error.downcast_ref::<StartError>() {
            return start.into();
        }
        let message = told(&error);
        if let Some(status) = error.chain().find_map(|cause| cause.downcast_ref::<Status>()) {
            let failure = Self::from(status.clone());
            // What was done when it happened, and then what the service said.
            let done: Vec<String> = error
                .chain()
                .take_while(|cause| !cause.is::<Status>())
                .map(ToString::to_string)
                .chain([failure.message.clone()])
                .collect();
            return Self { message: done.join(": "), ..failure };
        }
        let away = error.chain().any(|cause| cause.is::<NotReady>() || cause.is::<LogError>());
        Self::new(if away { Exit::Unavailable } else { Exit::Fault }, message)
    }
}

/// The error and its causes, each once: many repeat what is beneath them in their own words.
fn told(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !text.contains(&cause) {
            let between = if text.is_empty() { "" } else { ": " };
            text = format!("{text}{between}{cause}");
        }
    }
    text
}

/// Why a topic cannot be read, with the next step.
pub(super) fn unread(error: ObserveError) -> Failure {
    match error {
        ObserveError::Refused(why) => Failure::new(Exit::Usage, super::flags::flag_of(&why)),
        ObserveError::NoTopic { .. } => Failure::new(Exit::NotFound, error.to_string())
            .next("is it the right broker? name another one with --bootstrap"),
        ObserveError::Unreachable { .. } => Failure::new(Exit::Unavailable, error.to_string())
            .next("is the system running? start it with `make run`")
            .next("or name another broker with --bootstrap"),
    }
}

/// Why topics are not as they should be, with the next step.
pub(crate) fn untopical(error: TopicsError) -> Failure {
    let told = error.to_string();
    match error {
        TopicsError::Refused(why) => Failure::new(Exit::Usage, super::flags::flag_of(&why)),
        TopicsError::Malformed(_) => Failure::new(Exit::Usage, told),
        TopicsError::Unreachable { .. } => Failure::new(Exit::Unavailable, told)
            .next("is it the right broker? name another one with --bootstrap"),
        TopicsError::NotMade { .. } => Failure::new(Exit::Fault, told),
        TopicsError::OtherPartitions { .. } => Failure::new(Exit::Refused, told)
            .next("say in the file how many there are, or move to a topic of another name"),
    }
}

/// A file that cannot be used.
pub(crate) fn misread(file: &Path, why: &dyn std::fmt::Display) -> Failure {
    Failure::new(Exit::Usage, format!("cannot read {}: {why}", file.display()))
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    /// Says what is beneath it, and has it as its cause, too.
    #[derive(Debug)]
    struct Repeats(std::io::Error);

    impl std::fmt::Display for Repeats {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "outer: {}", self.0)
        }
    }

    impl std::error::Error for Repeats {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn a_cause_that_was_told_is_not_told_again() {
        let cause = std::io::Error::other("the disk is gone");
        let error = anyhow::Error::from(Repeats(cause)).context("while writing");
        let failure = Failure::from(error);
        assert_eq!(failure.message, "while writing: outer: the disk is gone");
        assert_eq!(failure.exit, Exit::Fault);
    }

    #[test]
    fn what_a_service_said_keeps_its_exit_code_whatever_was_done() {
        let status = Status::unavailable("the service is shutting down");
        let error = Err::<(), _>(status).context("PayOrder").unwrap_err();
        let failure = Failure::from(error.context("the demo could not go on"));
        let expected = "the demo could not go on: PayOrder: the service is shutting down";
        assert_eq!((failure.exit, failure.message.as_str()), (Exit::Unavailable, expected));
        assert_eq!(failure.next, ["try again in a moment"]);
    }

    #[test]
    fn a_failure_is_itself_under_every_context() {
        let failure = Failure::new(Exit::NotFound, "no such order").next("look for it");
        let error = anyhow::Error::from(failure.clone()).context("the demo could not go on");
        assert_eq!(Failure::from(error), failure);
    }

    #[test]
    fn a_start_that_failed_has_the_exit_code_of_its_reason() {
        let exit = |error: StartError| Failure::from(&error).exit;
        assert_eq!(exit(StartError::setting("kafka", "no".to_owned())), Exit::Usage);
        assert_eq!(exit(StartError::other("order", "broken")), Exit::Fault);
    }
}
