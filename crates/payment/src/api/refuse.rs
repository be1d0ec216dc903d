//! What went wrong, as gRPC says it. Exhaustive: a new failure has to be given a code here.

use oms_messaging::Failure;
use oms_service::Refusal;
use tonic::Code;

/// Payment has not heard of the order, or the text names none.
pub(super) fn not_found() -> Refusal {
    Refusal::new(Code::NotFound, "PAYMENT_NOT_FOUND", "payment not found")
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
}
