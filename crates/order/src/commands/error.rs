//! Why a command did not do what was asked.

use oms_messaging::Failure;
use sea_orm::DbErr;

use crate::{
    changes::TooManyWaiting,
    domain::{InvalidOrder, Refusal},
};

/// Why a command did not do what was asked. Except for those that say that something still runs
/// nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// No order has this id.
    #[error("order not found")]
    NotFound,
    /// The order refuses.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// No order can be made of this.
    #[error(transparent)]
    Invalid(#[from] InvalidOrder),
    /// The idempotency key stands for another request.
    #[error("idempotency-key was used for another request")]
    KeyConflict,
    /// The first call with this idempotency key has not ended in this caller's time.
    #[error("the first call with this idempotency-key is still running")]
    KeyRunning,
    /// The refund began, but did not end in this caller's time.
    #[error(
        "the refund is still running; call again with the same idempotency-key to learn its outcome"
    )]
    StillRefunding,
    /// The pay run began, but did not end in this caller's time.
    #[error("the payment is still running")]
    StillPaying,
    /// The amendment began, but did not end in this caller's time.
    #[error(
        "the change is still running; call again with the same idempotency-key to learn its outcome"
    )]
    StillAmending,
    /// More calls wait than the settings allow.
    #[error(transparent)]
    TooManyWaiting(#[from] TooManyWaiting),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Failure),
}

impl From<DbErr> for CommandError {
    fn from(error: DbErr) -> Self {
        Self::Store(error.into())
    }
}
