//! A command line that cannot be meant: told by clap for people, and as one document for programs.

use std::{io::Write, process::ExitCode};

use clap::{
    Command,
    builder::StyledStr,
    error::{ContextKind, ContextValue, Error, ErrorKind},
};

use super::{Exit, Failure};

/// Whether a program reads: known before the command line is understood, for errors in it.
pub(crate) fn wants_json() -> bool {
    words().any(|word| word == "--json")
}

fn words() -> impl Iterator<Item = String> {
    let words = std::env::args_os().skip(1).take_while(|word| word != "--");
    words.map(|word| word.to_string_lossy().into_owned())
}

/// The command with the usage lines of its help in errors, too. clap would show there every flag
/// that has a value, also one that the environment gave and nobody wrote.
pub(crate) fn with_plain_usage(mut command: Command) -> Command {
    command.build();
    plain(command)
}

fn plain(command: Command) -> Command {
    let mut command = command.mut_subcommands(plain);
    let usage = command.render_usage().ansi().to_string();
    match usage.split_once("Usage:").and_then(|(_, rest)| rest.split_once(' ')) {
        Some((_, usage)) => command.override_usage(StyledStr::from(usage.to_owned())),
        None => command,
    }
}

/// Tells what is wrong with the command line, or the help that was asked for.
pub(crate) fn misused(error: Error, command: &Command, json: bool) -> ExitCode {
    // Help and the version are no errors.
    if json && error.use_stderr() {
        return Failure::from(&error).tell(json);
    }
    if let Some(help) = help_of_group(&error, command) {
        // Nobody is left to tell when standard error is closed.
        let _ = write!(std::io::stderr().lock(), "{help}");
        return ExitCode::from(Exit::Usage as u8);
    }
    with_origin(error, command).exit()
}

/// A group without one of its commands is answered with its help. clap does so as well, unless a
/// variable has given it some flag.
fn help_of_group(error: &Error, command: &Command) -> Option<String> {
    let is_group = error.kind() == ErrorKind::MissingSubcommand;
    let Some(ContextValue::String(path)) = error.get(ContextKind::InvalidSubcommand) else {
        return None;
    };
    let mut path = path.split(' ').skip(1).filter(|_| is_group);
    let mut group = path.try_fold(command, |above, name| above.find_subcommand(name))?.clone();
    Some(group.render_help().to_string())
}

/// Names the variable a wrong value came from, where it was not written on the command line.
fn with_origin(mut error: Error, command: &Command) -> Error {
    let Some(ContextValue::String(shown)) = error.get(ContextKind::InvalidArg) else {
        return error;
    };
    let flag = shown.split_whitespace().next().unwrap_or_default().to_owned();
    let written = |word: String| word == flag || word.starts_with(&format!("{flag}="));
    let Some(long) = flag.strip_prefix("--") else { return error };
    if error.get(ContextKind::InvalidValue).is_none() || words().any(written) {
        return error;
    }
    if let Some(variable) = variable(command, long) {
        let tip = StyledStr::from(format!("the value is that of the variable {variable}"));
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
    }
    error
}

/// The variable of a flag, wherever in the program it is.
fn variable(command: &Command, long: &str) -> Option<String> {
    let own = command.get_arguments().find(|argument| argument.get_long() == Some(long));
    own.and_then(|argument| argument.get_env())
        .map(|name| name.to_string_lossy().into_owned())
        .or_else(|| command.get_subcommands().find_map(|below| variable(below, long)))
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        let text = error.render().to_string();
        let mut parts = text.trim_end().split("\n\n").map(str::trim);
        let said = parts.next().unwrap_or_default();
        let message = said.strip_prefix("error: ").unwrap_or(said).to_owned();
        let next = parts.map(str::to_owned).collect();
        Self { next, ..Self::new(Exit::Usage, message) }
    }
}

#[cfg(test)]
mod tests {
    use clap::Arg;

    use super::*;

    fn program() -> Command {
        let number = Arg::new("n").long("number").env("OMS_TEST_NUMBER");
        let name = Arg::new("name").required(true);
        Command::new("oms").subcommand(Command::new("count").arg(number).arg(name))
    }

    #[test]
    fn usage_in_an_error_is_that_of_the_help() {
        let command = with_plain_usage(program());
        let error = command.try_get_matches_from(["oms", "count", "--number", "1"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MissingRequiredArgument);
        let text = error.render().to_string();
        assert!(text.contains("Usage: oms count [OPTIONS] <name>\n"), "{text}");
    }

    #[test]
    fn an_error_is_one_message_and_what_helps() {
        let error = program().try_get_matches_from(["oms", "count", "a", "--nmber", "1"]);
        let failure = Failure::from(&error.unwrap_err());
        assert_eq!(failure.message, "unexpected argument '--nmber' found");
        assert!(failure.next[0].contains("--number"), "{:?}", failure.next);
        assert_eq!(failure.exit, Exit::Usage);
    }

    #[test]
    fn the_variable_of_a_flag_is_found_wherever_it_is() {
        assert_eq!(variable(&program(), "number").as_deref(), Some("OMS_TEST_NUMBER"));
        assert_eq!(variable(&program(), "name"), None);
    }
}
