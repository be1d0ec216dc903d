//! What the `[log]` section says.

use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// One readable line each.
    Text,
    /// One JSON object a line, with `trace_id` where there is a trace.
    Json,
}

/// What is logged, and how. Logs go to standard error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogSettings {
    /// Level, or levels by module, for example `info,oms_order=debug`.
    pub level: String,
    /// Text or JSON.
    pub format: LogFormat,
}

impl Default for LogSettings {
    fn default() -> Self {
        // Migrations tell every step of theirs; that they failed is told anyway.
        Self { level: "info,sea_orm_migration=warn".to_owned(), format: LogFormat::Auto }
    }
}

impl LogSettings {
    /// Every violation, as `key: what is wrong`; `at` is the path of this section.
    #[must_use]
    pub fn violations(&self, at: &str) -> Vec<String> {
        match self.filter() {
            Ok(_) => Vec::new(),
            Err(error) => vec![format!("{at}.level: {:?}: {error}", self.level)],
        }
    }

    pub(crate) fn filter(&self) -> Result<EnvFilter, tracing_subscriber::filter::ParseError> {
        EnvFilter::builder().parse(&self.level)
    }
}
