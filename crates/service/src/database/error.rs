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
    /// Migrations are missing and the role may not change tables.
    #[error(
        "the role of this URL may not change tables, and {} missing; apply what is missing as the \
         owner: the command `migrate` with the owner's URL",
        listed(missing)
    )]
    NoRight {
        /// The names of the missing migrations.
        missing: Vec<String>,
    },
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

fn listed(missing: &[String]) -> String {
    let (noun, verb) = if missing.len() == 1 { ("migration", "is") } else { ("migrations", "are") };
    format!("{} {noun} ({}) {verb}", missing.len(), missing.join(", "))
}
