//! Where the data is.

use std::fmt;

use sea_orm::sqlx::{postgres::PgConnectOptions, sqlite::SqliteConnectOptions};
use serde::{Deserialize, Serialize};

use super::error::DatabaseError;
use crate::config::redact_url;

/// Where a service's data is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseSettings {
    /// `sqlite:path/to/file.db` or `postgres://user:password@host/database`.
    pub url: String,
    /// Connections of the PostgreSQL pool. SQLite has one writer and four readers.
    #[serde(default = "connections_max")]
    pub connections_max: u32,
}

fn connections_max() -> u32 {
    8
}

impl fmt::Debug for DatabaseSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DatabaseSettings")
            .field("url", &redact_url(&self.url))
            .field("connections_max", &self.connections_max)
            .finish()
    }
}

impl DatabaseSettings {
    /// The defaults, at `url`.
    pub fn at(url: impl Into<String>) -> Self {
        Self { url: url.into(), connections_max: connections_max() }
    }

    /// Every violation, as `key: what is wrong`; `at` is the path of this section.
    #[must_use]
    pub fn violations(&self, at: &str) -> Vec<String> {
        let mut found = Vec::new();
        if let Err(error) = Target::parse(&self.url) {
            found.push(format!("{at}.url: {error}"));
        }
        if self.connections_max == 0 {
            found.push(format!("{at}.connections_max: must be greater than zero"));
        }
        found
    }
}

/// What a URL names.
pub(super) enum Target {
    Sqlite(Box<SqliteConnectOptions>),
    Postgres,
}

impl Target {
    pub(super) fn parse(url: &str) -> Result<Self, DatabaseError> {
        let wrong = |reason: String| DatabaseError::Url { url: redact_url(url), reason };
        if url.starts_with("sqlite:") {
            let options: SqliteConnectOptions =
                url.parse().map_err(|error: sea_orm::sqlx::Error| wrong(error.to_string()))?;
            if url.contains(":memory:") || url.contains("mode=memory") {
                return Err(wrong("a database in memory does not outlive a restart".to_owned()));
            }
            Ok(Self::Sqlite(Box::new(options)))
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            // The driver's own message may repeat the password.
            url.parse::<PgConnectOptions>().map_err(|_| wrong("malformed".to_owned()))?;
            Ok(Self::Postgres)
        } else {
            Err(wrong("expected sqlite:… or postgres://…".to_owned()))
        }
    }
}
