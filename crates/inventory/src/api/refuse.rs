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
        Failure::Transient(_) => {
            tracing::warn!(%failure, "a call was answered UNAVAILABLE");
            Refusal::unavailable("DATABASE_UNAVAILABLE", "the database is not available")
        }
        Failure::Poison { .. } | Failure::Unclassified(_) => {
            tracing::error!(%failure, "a call was answered INTERNAL");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_is_away_is_unavailable_and_an_inside_stays_inside() {
        let away = store(Failure::transient("connection refused to 10.0.0.7"));
        assert_eq!(away.code, Code::Unavailable);
        let broken = store(Failure::Unclassified("column secret is missing".to_owned()));
        assert_eq!(broken.code, Code::Internal);
        for told in [away, broken] {
            assert!(!told.message.contains("10.0.0.7") && !told.message.contains("secret"));
        }
    }

    #[test]
    fn every_refusal_of_stock_has_its_code() {
        for (refused, code, reason) in [
            (StockRefused::UnknownSku, Code::NotFound, "SKU_NOT_FOUND"),
            (StockRefused::BelowZero, Code::FailedPrecondition, "STOCK_BELOW_ZERO"),
            (StockRefused::TooMany, Code::FailedPrecondition, "STOCK_LIMIT"),
        ] {
            let told = command(CommandError::Refused(refused));
            assert_eq!((told.code, told.reason), (code, reason));
        }
    }
}
