//! What went wrong, as gRPC says it. Exhaustive: a new error has to be given a code here.

use oms_messaging::Failure;
use oms_service::Refusal;
use tonic::Code;

use crate::{commands::CommandError, domain::StockRefused};

pub(super) fn sku_not_found() -> Refusal {
    stock(&StockRefused::UnknownSku)
}

pub(super) fn order_not_found() -> Refusal {
    Refusal::new(Code::NotFound, "ORDER_NOT_FOUND", "order not found")
}

pub(super) fn command(error: CommandError) -> Refusal {
    match error {
        CommandError::Refused(refused) => stock(&refused),
        CommandError::KeyConflict => {
            let message = CommandError::KeyConflict.to_string();
            Refusal::new(Code::InvalidArgument, "IDEMPOTENCY_KEY_REUSED", message)
        }
        CommandError::KeyRunning => {
            let message = CommandError::KeyRunning.to_string();
            Refusal::new(Code::Aborted, "IDEMPOTENCY_KEY_RUNNING", message)
        }
        CommandError::Store(failure) => store(failure),
    }
}

/// Logged here, because here it is handled; the caller learns nothing about the inside.
pub(super) fn store(failure: Failure) -> Refusal {
    match failure {
        Failure::Transient(error) => {
            tracing::warn!(%error, "the database is away or busy");
            Refusal::unavailable("DATABASE_UNAVAILABLE", "try again soon")
        }
        Failure::Poison { .. } | Failure::Unclassified(_) => {
            tracing::error!(error = %failure, "a call failed");
            Refusal::internal()
        }
    }
}

fn stock(refused: &StockRefused) -> Refusal {
    let code = match refused {
        StockRefused::UnknownSku => Code::NotFound,
        StockRefused::BelowZero | StockRefused::TooMany => Code::FailedPrecondition,
    };
    Refusal::new(code, refused.code(), refused.to_string())
}
