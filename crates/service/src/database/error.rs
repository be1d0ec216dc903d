//! What can be wrong with a database.

use sea_orm::DbErr;

/// Why a database cannot be used. Never shows a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// The URL is none, or none of a database we know.
    #[error("{url:?} is no database URL: {reason}")]
    Url {
        /// The URL without its password.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// The folder of the SQLite file cannot be made.
    #[error("cannot create the folder of {path:?}: {source}")]
    Folder {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// It cannot be reached.
    #[error("cannot open {url}: {source}")]
    Open {
        /// The URL without its password.
        url: String,
        /// What the driver said.
        source: DbErr,
    },
    /// A migration failed.
    #[error("migration failed: {0}")]
    Migrate(#[source] DbErr),
    /// It does not answer.
    #[error("does not answer: {0}")]
    Ping(#[source] DbErr),
}

impl DatabaseError {
    /// Whether the operator has to change a setting.
    #[must_use]
    pub fn is_setting(&self) -> bool {
        matches!(self, Self::Url { .. } | Self::Folder { .. })
    }
}
