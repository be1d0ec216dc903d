//! Prints effective settings, without what must stay secret.

use std::fmt::Write;

use serde::Serialize;
use serde_json::{Map, Value};

pub(super) const HIDDEN: &str = "***";

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

/// The settings as JSON, with the same secrets hidden.
///
/// # Errors
/// When they are no data that JSON knows.
pub fn show_json<T: Serialize>(settings: &T) -> Result<Value, serde_json::Error> {
    let all = serde_json::to_value(settings)?;
    Ok(match all {
        Value::Object(entries) => hidden("", entries),
        other => other,
    })
}

fn hidden(path: &str, entries: Map<String, Value>) -> Value {
    let shown = entries.into_iter().map(|(key, value)| {
        let value = match value {
            Value::Object(inner) => hidden(&join(path, &key), inner),
            Value::String(_) if may_hold_secrets(path) => HIDDEN.into(),
            other => redacted(&key, &other),
        };
        (key, value)
    });
    Value::Object(shown.collect())
}

/// Properties for the broker's client: any of them may be a secret.
fn may_hold_secrets(path: &str) -> bool {
    path.ends_with(".properties")
}

/// The path of every setting, for example `order.grpc.listen`; what a documented file must list.
#[must_use]
pub fn keys<T: Serialize>(settings: &T) -> Vec<String> {
    let mut found = Vec::new();
    if let Ok(value) = serde_json::to_value(settings) {
        leaves("", &value, &mut found);
    }
    found
}

fn leaves(path: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                leaves(&join(path, key), value, found);
            }
        }
        _ => found.push(path.to_owned()),
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
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
                Value::String(_) if may_hold_secrets(path) => {
                    writeln!(page, "{key:?} = \"{HIDDEN}\"")
                }
                value => writeln!(page, "{key} = {}", redacted(key, value)),
            };
        }
    }
    for (key, value) in entries {
        if let Value::Object(inner) = value {
            table(page, &join(path, key), inner);
        }
    }
}

fn redacted(key: &str, value: &Value) -> Value {
    match value {
        Value::String(text) if text.is_empty() => value.clone(),
        Value::String(_) if is_secret(key) => HIDDEN.into(),
        Value::String(text) => redact_url(text).into(),
        Value::Array(items) => items.iter().map(|item| redacted(key, item)).collect(),
        other => other.clone(),
    }
}

/// Whether what is called so must not be shown. `sslkey` may be the key itself.
fn is_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    ["password", "secret", "token", "credential", "sslkey"].iter().any(|word| key.contains(word))
}

/// A URL without its password, be it before the host or in the query, and be the URL well formed or
/// not. Other text stays as it is.
#[must_use]
pub fn redact_url(url: &str) -> String {
    // A file's name may have any sign, and has no password.
    if url.starts_with("sqlite:") {
        return redact_query(url);
    }
    let (scheme, rest) = match url.find("://") {
        Some(at) => url.split_at(at + "://".len()),
        None => ("", url),
    };
    // Up to the last `@`: a password may hold any sign that somebody forgot to escape.
    let shown = match rest.rsplit_once('@').map(|(user, host)| (user.split_once(':'), host)) {
        Some((Some((name, _)), host)) => format!("{name}:{HIDDEN}@{host}"),
        _ => rest.to_owned(),
    };
    format!("{scheme}{}", redact_query(&shown))
}

fn redact_query(url: &str) -> String {
    let Some((path, query)) = url.split_once('?') else { return url.to_owned() };
    let pairs: Vec<_> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((key, _)) if is_secret(key) => format!("{key}={HIDDEN}"),
            _ => pair.to_owned(),
        })
        .collect();
    format!("{path}?{}", pairs.join("&"))
}
