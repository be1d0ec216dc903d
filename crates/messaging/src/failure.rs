//! How handling an event or running a transaction can fail, and what follows from it (rule 4).

use sea_orm::{DbErr, RuntimeErr, SqlxError};

/// A failed transaction. Which variant it is decides what the consumer does with the event.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The world is not ready (database away, lock timeout): retried in place, for ever.
    #[error("transient: {0}")]
    Transient(String),
    /// No retry can help; the event is dead-lettered and its stream parked.
    #[error("poison ({code}): {message}")]
    Poison {
        /// Stable code for metrics and for the dead letter's `x-error-code`.
        code: &'static str,
        /// For people.
        message: String,
    },
    /// Not known to be either: retried a bounded number of times, then poison.
    #[error("{0}")]
    Unclassified(String),
}

impl Failure {
    /// A failure that no retry can mend.
    pub fn poison(code: &'static str, message: impl Into<String>) -> Self {
        Self::Poison { code, message: message.into() }
    }

    /// A failure that goes away by itself.
    pub fn transient(message: impl Into<String>) -> Self {
        Self::Transient(message.into())
    }

    /// The stable code: `transient`, `unclassified` or the poison's own.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Transient(_) => "transient",
            Self::Poison { code, .. } => code,
            Self::Unclassified(_) => "unclassified",
        }
    }
}

impl From<DbErr> for Failure {
    fn from(error: DbErr) -> Self {
        if is_transient(&error) {
            Self::Transient(error.to_string())
        } else {
            Self::Unclassified(error.to_string())
        }
    }
}

/// Whether the database is away or busy, as opposed to having refused the statement.
#[must_use]
pub fn is_transient(error: &DbErr) -> bool {
    let runtime = match error {
        DbErr::ConnectionAcquire(_) => return true,
        DbErr::Conn(runtime) | DbErr::Exec(runtime) | DbErr::Query(runtime) => runtime,
        _ => return false,
    };
    let RuntimeErr::SqlxError(error) = runtime else { return false };
    match error.as_ref() {
        SqlxError::Io(_)
        | SqlxError::Tls(_)
        | SqlxError::Protocol(_)
        | SqlxError::PoolTimedOut
        | SqlxError::PoolClosed
        | SqlxError::WorkerCrashed => true,
        SqlxError::Database(refusal) => refusal.code().is_some_and(|code| is_transient_code(&code)),
        _ => false,
    }
}

/// SQLSTATE classes and SQLite result codes that mean "not now".
/// Sources: PostgreSQL appendix A; SQLite "Result and Error Codes".
fn is_transient_code(code: &str) -> bool {
    // PostgreSQL: connection trouble, rollback (deadlock, serialization), resources, lock timeout,
    // operator intervention. SQLite: BUSY, LOCKED, IOERR, FULL with their extended codes.
    let class = code.len() == 5
        && (["08", "40", "53", "57"].contains(&&code[..2]) || ["55P03", "25006"].contains(&code));
    class || code.parse::<u32>().is_ok_and(|extended| [5, 6, 10, 13].contains(&(extended & 0xff)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_an_absent_or_busy_database_are_transient() {
        for code in ["40P01", "40001", "57P01", "53300", "08006", "55P03", "5", "517", "6", "13"] {
            assert!(is_transient_code(code), "{code}");
        }
        for code in ["23505", "42601", "1555", "2067", "1", ""] {
            assert!(!is_transient_code(code), "{code}");
        }
    }
}
