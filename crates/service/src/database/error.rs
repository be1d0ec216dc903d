//! What can be wrong with a database.

use sea_orm::{DbErr, RuntimeErr, sqlx};

/// SQLite's codes for a file that is damaged and for one that is none of its own; source: its list
/// of result codes. The rest of a code's bits say more of the same.
const SQLITE_UNREADABLE: [u32; 2] = [11, 26];

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
    #[error("cannot open {url}: {source}{}", remedy(source))]
    Open {
        /// The URL without its password.
        url: String,
        /// What the driver said.
        source: DbErr,
    },
    /// A migration failed.
    #[error("migration failed: {}{}", .0, remedy(.0))]
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
        matches!(self, Self::Url { .. } | Self::Folder { .. } | Self::NoRight { .. })
    }

    /// Whether it is not there now, and may be there later.
    #[must_use]
    pub fn is_away(&self) -> bool {
        match self {
            Self::Open { source, .. } => !is_unreadable(source),
            Self::Migrate(source) => matches!(source, DbErr::Conn(_) | DbErr::ConnectionAcquire(_)),
            Self::Ping(_) => true,
            Self::Url { .. } | Self::Folder { .. } | Self::NoRight { .. } => false,
        }
    }
}

/// Whether the file is there and is no SQLite database, or not any more.
fn is_unreadable(error: &DbErr) -> bool {
    let (DbErr::Conn(runtime) | DbErr::Exec(runtime) | DbErr::Query(runtime)) = error else {
        return false;
    };
    let RuntimeErr::SqlxError(error) = runtime else { return false };
    let sqlx::Error::Database(refusal) = error.as_ref() else { return false };
    // PostgreSQL's codes have five characters and are no such numbers.
    let code = refusal.code().filter(|code| code.len() < 5);
    code.and_then(|code| code.parse::<u32>().ok())
        .is_some_and(|code| SQLITE_UNREADABLE.contains(&(code & 0xff)))
}

/// What an operator can do about it, where that is known.
fn remedy(error: &DbErr) -> &'static str {
    if is_unreadable(error) {
        "; the file is damaged or no SQLite database: restore a backup, see docs/operations.md"
    } else {
        ""
    }
}

fn listed(missing: &[String]) -> String {
    let (noun, verb) = if missing.len() == 1 { ("migration", "is") } else { ("migrations", "are") };
    format!("{} {noun} ({}) {verb}", missing.len(), missing.join(", "))
}
