//! Prints effective settings, without what must stay secret.

use std::fmt::Write;

use serde::Serialize;
use serde_json::{Map, Value};

const HIDDEN: &str = "***";

/// The settings as TOML, each key with its value; secrets are shown as `***`.
#[must_use]
pub fn show<T: Serialize>(settings: &T) -> String {
    let mut page = String::new();
    match serde_json::to_value(settings) {
        Ok(Value::Object(all)) => table(&mut page, "", &all),
        Ok(other) => {
            let _ = writeln!(page, "{other}");
        }
        Err(error) => {
            let _ = writeln!(page, "# cannot be shown: {error}");
        }
    }
    page
}

fn table(page: &mut String, path: &str, entries: &Map<String, Value>) {
    let plain: Vec<_> = entries.iter().filter(|(_, value)| !value.is_object()).collect();
    if !plain.is_empty() {
        if !path.is_empty() {
            let gap = if page.is_empty() { "" } else { "\n" };
            let _ = writeln!(page, "{gap}[{path}]");
        }
        for (key, value) in plain {
            let _ = match value {
                Value::Null => writeln!(page, "# {key} is not set"),
                value => writeln!(page, "{key} = {}", redacted(key, value)),
            };
        }
    }
    for (key, value) in entries {
        if let Value::Object(inner) = value {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            table(page, &path, inner);
        }
    }
}

fn redacted(key: &str, value: &Value) -> Value {
    let key = key.to_lowercase();
    let secret =
        ["password", "secret", "token", "credential"].iter().any(|word| key.contains(word));
    match value {
        Value::String(text) if text.is_empty() => value.clone(),
        Value::String(_) if secret => HIDDEN.into(),
        Value::String(text) => redact_url(text).into(),
        Value::Array(items) => items.iter().map(|item| redacted(&key, item)).collect(),
        other => other.clone(),
    }
}

/// A URL without its password, be it before the host or in the query. Other text stays as it is.
#[must_use]
pub fn redact_url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    // A password may hold an `@` that somebody forgot to escape: the last one ends it.
    let shown = match authority.rsplit_once('@') {
        Some((user, host)) => match user.split_once(':') {
            Some((name, _)) => format!("{name}:{HIDDEN}@{host}"),
            None => authority.to_owned(),
        },
        None => authority.to_owned(),
    };
    format!("{scheme}://{shown}{}", redact_query(tail))
}

fn redact_query(tail: &str) -> String {
    let Some((path, query)) = tail.split_once('?') else { return tail.to_owned() };
    let pairs: Vec<_> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((key, _)) if key.to_lowercase().contains("password") => format!("{key}={HIDDEN}"),
            _ => pair.to_owned(),
        })
        .collect();
    format!("{path}?{}", pairs.join("&"))
}
