//! Why a command did nothing.

use oms_messaging::Failure;

use crate::domain::StockRefused;

/// Why a command did nothing.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The stock does not allow it.
    #[error(transparent)]
    Refused(#[from] StockRefused),
    /// The idempotency key was used for another request.
    #[error("idempotency-key was used for another request")]
    KeyConflict,
    /// The first call with the same idempotency key has not ended yet.
    #[error("the first call with this idempotency-key is still running")]
    KeyRunning,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Failure),
}

impl From<sea_orm::DbErr> for CommandError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Store(error.into())
    }
}
