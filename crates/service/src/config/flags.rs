//! `--set KEY=VALUE` on a command line, and what is said of a command line that is wrong.

use clap::error::{ContextKind, ContextValue};

use super::show::{HIDDEN, redact_url};

/// Flags whose value may be any setting, or any property of Kafka's client.
const SETTINGS: [&str; 2] = ["--set", "--kafka-property"];

/// A setting's path and value.
///
/// # Errors
/// That it is none.
pub fn setting(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

/// The same misuse, told without what was given for a setting, and without the passwords of URLs.
#[must_use]
pub fn without_secrets(mut misuse: clap::Error) -> clap::Error {
    let a_setting = matches!(
        misuse.get(ContextKind::InvalidArg),
        Some(ContextValue::String(flag)) if SETTINGS.iter().any(|name| flag.starts_with(name))
    );
    let given: Vec<_> = misuse
        .context()
        .filter_map(|(kind, value)| match value {
            ContextValue::String(_) if a_setting && kind == ContextKind::InvalidValue => {
                Some((kind, HIDDEN.to_owned()))
            }
            ContextValue::String(text) if text.contains('@') => Some((kind, redact_url(text))),
            _ => None,
        })
        .collect();
    if !given.is_empty() {
        // "Did you mean": the same once more.
        misuse.remove(ContextKind::Suggested);
    }
    for (kind, text) in given {
        misuse.insert(kind, ContextValue::String(text));
    }
    misuse
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Arguments {
        #[arg(long, value_parser = setting)]
        set: Vec<(String, String)>,
    }

    fn said(words: &[&str]) -> String {
        let given = ["oms-order"].iter().chain(words);
        without_secrets(Arguments::try_parse_from(given).unwrap_err()).to_string()
    }

    #[test]
    fn what_is_no_setting_is_refused_without_being_repeated() {
        let said = said(&["--set", "kafka.properties.sasl.password hunter2"]);
        assert!(!said.contains("hunter2"), "{said}");
        assert!(said.contains("--set") && said.contains("expected KEY=VALUE"), "{said}");
    }

    #[test]
    fn a_url_that_stands_alone_is_repeated_without_its_password() {
        let said = said(&["--set", "order.database.url=x", "postgres://u:hunter2@h/d"]);
        assert!(!said.contains("hunter2") && said.contains("postgres://u:***@h/d"), "{said}");
    }

    #[test]
    fn a_setting_is_its_path_and_all_behind_the_first_sign() {
        let pair = |key: &str, value: &str| Ok((key.to_owned(), value.to_owned()));
        assert_eq!(setting("a.b=c=d"), pair("a.b", "c=d"));
    }
}
