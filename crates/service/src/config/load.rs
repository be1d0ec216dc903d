//! Reads the layers into a type, and says everything that is wrong with them.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use config::{Config, File, FileFormat, Map, Source, Value, ValueKind};
use serde::{Serialize, de::DeserializeOwned};

use super::environment;

/// Every section of the one file all services may share.
pub const SECTIONS: [&str; 7] = ["kafka", "log", "traces", "order", "inventory", "payment", "oms"];

/// Ends the path of a table whose keys are somebody else's names.
const PROPERTIES: &str = ".properties.";

/// Settings that can tell what is wrong with them.
pub trait Validate {
    /// Every violation, as `key: what is wrong`.
    fn violations(&self) -> Vec<String>;
}

/// What is wrong with the settings; one line each, each naming its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    violations: Vec<String>,
}

impl ConfigError {
    fn one(violation: impl Into<String>) -> Self {
        Self { violations: vec![violation.into()] }
    }

    /// Each violation, as `key: what is wrong`.
    #[must_use]
    pub fn violations(&self) -> &[String] {
        &self.violations
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.violations.join("\n"))
    }
}

impl std::error::Error for ConfigError {}

/// Where settings come from, weakest first; below all are the type's own defaults.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// A TOML file.
    pub file: Option<PathBuf>,
    /// Environment variables by name.
    pub environment: Vec<(String, String)>,
    /// Settings by path, from flags.
    pub overrides: Vec<(String, String)>,
}

/// Settings from `file`, this process's environment and `overrides` (path and value). Sections
/// named in `known_sections` that `T` does not have belong to other services and are left alone.
///
/// # Errors
/// [`ConfigError`] with every unknown key and every violation, or the first value of a wrong type.
pub fn load<T>(
    file: Option<&Path>,
    known_sections: &[&str],
    overrides: &[(String, String)],
) -> Result<T, ConfigError>
where
    T: Default + Serialize + DeserializeOwned + Validate,
{
    let file = file.map(Path::to_owned);
    read(file, known_sections, environment::settings(), overrides.to_vec())
}

/// [`load`], with the environment given.
///
/// # Errors
/// As [`load`].
pub fn load_from<T>(sources: Sources, known_sections: &[&str]) -> Result<T, ConfigError>
where
    T: Default + Serialize + DeserializeOwned + Validate,
{
    let Sources { file, environment, overrides } = sources;
    read(file, known_sections, environment::of(environment), overrides)
}

fn read<T>(
    file: Option<PathBuf>,
    known_sections: &[&str],
    environment: Vec<(String, String)>,
    overrides: Vec<(String, String)>,
) -> Result<T, ConfigError>
where
    T: Default + Serialize + DeserializeOwned + Validate,
{
    let layers = layers(&T::default(), file, environment, overrides)?;
    let mut unknown = Vec::new();
    let settings: Result<T, _> = serde_ignored::deserialize(layers, |path| {
        let path = path.to_string();
        let section = path.split('.').next().unwrap_or_default();
        if path != section || !known_sections.contains(&section) {
            unknown.push(format!("{path}: unknown setting"));
        }
    });
    match settings {
        // The first value of a wrong type ends the reading, so that the unknown keys after it are
        // not known yet: both are said.
        Err(error) => {
            unknown.push(told(error));
            Err(ConfigError { violations: unknown })
        }
        Ok(settings) => {
            let mut violations = unknown;
            violations.extend(settings.violations());
            if violations.is_empty() { Ok(settings) } else { Err(ConfigError { violations }) }
        }
    }
}

fn layers(
    defaults: &impl Serialize,
    file: Option<PathBuf>,
    environment: Vec<(String, String)>,
    overrides: Vec<(String, String)>,
) -> Result<Config, ConfigError> {
    let inside = |error: config::ConfigError| ConfigError::one(told(error));
    let defaults = Config::try_from(defaults).map_err(inside)?;
    // A value for a section would be lost where another layer sets one of its settings.
    let of_section = |path: &str| defaults.get_table(path).is_ok();
    let mut builder = Config::builder().add_source(defaults.clone());
    if let Some(path) = file {
        let of_file = |why: String| ConfigError::one(format!("{}: {why}", path.display()));
        let text = std::fs::read_to_string(&path).map_err(|error| of_file(error.to_string()))?;
        let file = File::from_str(&text, FileFormat::Toml);
        file.collect().map_err(|error| of_file(told(error)))?;
        builder = builder.add_source(file);
    }
    let mut properties = BTreeMap::<String, Map<String, Value>>::new();
    for (path, value) in environment.into_iter().chain(overrides) {
        if let Some((at, name)) = property(&path) {
            let value = Value::new(None, ValueKind::String(value));
            properties.entry(at.to_owned()).or_default().insert(name.to_owned(), value);
            continue;
        }
        if of_section(&path) {
            let why = format!("{path}: is a section; set {path}.SETTING");
            return Err(ConfigError::one(why));
        }
        builder = builder
            .set_override(path.as_str(), value)
            .map_err(|error| ConfigError::one(format!("{path}: {}", told(error))))?;
    }
    for (at, names) in properties {
        builder = builder.set_override(at.as_str(), names).map_err(inside)?;
    }
    builder.build().map_err(inside)
}

/// An error without the text that it is about, which may be a password: neither a string of the
/// wrong type nor a line of the file is repeated.
fn told(error: config::ConfigError) -> String {
    use config::ConfigError::{At, FileParse};
    match error {
        At { error, key: Some(key), .. } => format!("{key}: {}", told(*error)),
        At { error, .. } => told(*error),
        FileParse { cause, .. } => {
            let text = cause.to_string();
            let lines = text.lines().map(str::trim).filter(|line| !shows_a_line(line));
            lines.collect::<Vec<_>>().join(": ")
        }
        other => without_string(&other.to_string()),
    }
}

/// `invalid type: string, expected …`, without what the string is.
fn without_string(told: &str) -> String {
    const STRING: &str = "string \"";
    let Some(start) = told.find(STRING).map(|at| at + STRING.len()) else {
        return told.to_owned();
    };
    let mut escaped = false;
    let end = told[start..].find(|sign| {
        let ends = sign == '"' && !escaped;
        escaped = sign == '\\' && !escaped;
        ends
    });
    let rest = end.map_or("", |end| &told[start + end + 1..]);
    format!("{}{rest}", &told[..start - 2])
}

/// `2 | url = "…"`, and what points at a place in it.
fn shows_a_line(line: &str) -> bool {
    line.trim_start_matches(|sign: char| sign.is_ascii_digit() || sign == ' ').starts_with('|')
}

/// The table and the name, of a property whose name is not ours and may have dots of its own:
/// `kafka.properties` and `sasl.password`.
fn property(path: &str) -> Option<(&str, &str)> {
    let at = path.find(PROPERTIES)? + PROPERTIES.len();
    Some((&path[..at - 1], &path[at..]))
}
