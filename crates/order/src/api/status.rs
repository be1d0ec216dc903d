//! What callers are told when something was not done. One exhaustive mapping: a new error has to
//! find its place here before it compiles.

use oms_messaging::Failure;
use oms_service::Refusal;
use tonic::Code;

use crate::{
    commands::CommandError,
    domain::{self, InvalidOrder},
};

/// A command's error as a refusal. A failure of the store is logged here, once.
pub(super) fn of_command(error: CommandError) -> Refusal {
    match error {
        CommandError::NotFound => not_found(),
        CommandError::Refused(refusal) => of_domain(&refusal),
        CommandError::Invalid(invalid) => of_invalid(&invalid),
        CommandError::KeyConflict => Refusal::new(
            Code::InvalidArgument,
            "IDEMPOTENCY_KEY_REUSED",
            CommandError::KeyConflict.to_string(),
        ),
        CommandError::KeyRunning => Refusal::new(
            Code::Aborted,
            "IDEMPOTENCY_KEY_RUNNING",
            CommandError::KeyRunning.to_string(),
        ),
        CommandError::StillRefunding => Refusal::new(
            Code::DeadlineExceeded,
            "REFUND_RUNNING",
            CommandError::StillRefunding.to_string(),
        ),
        CommandError::StillPaying => Refusal::new(
            Code::DeadlineExceeded,
            "PAYMENT_RUNNING",
            CommandError::StillPaying.to_string(),
        ),
        CommandError::StillAmending => Refusal::new(
            Code::DeadlineExceeded,
            "AMENDMENT_RUNNING",
            CommandError::StillAmending.to_string(),
        ),
        CommandError::TooManyWaiting(overload) => {
            Refusal::unavailable("OVERLOADED", overload.to_string())
        }
        CommandError::Store(failure) => of_store(&failure),
    }
}

/// Nothing has this id.
pub(super) fn not_found() -> Refusal {
    Refusal::new(Code::NotFound, "ORDER_NOT_FOUND", CommandError::NotFound.to_string())
}

/// A failure of the store: "not now" when the database is away, else our own fault, of which the
/// caller learns nothing but that.
pub(super) fn of_store(failure: &Failure) -> Refusal {
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

/// What the order itself refuses.
pub(super) fn of_domain(refusal: &domain::Refusal) -> Refusal {
    use domain::Refusal as R;
    let code = match refusal {
        R::VersionMismatch { .. } | R::UpdatedMeanwhile | R::Busy => Code::Aborted,
        R::NotPending
        | R::PaymentDeclined
        | R::NotCancelable(_)
        | R::NotShippable(_)
        | R::NotCompletable(_)
        | R::NotEditable(_)
        | R::FixedOncePaid(_)
        | R::LastLine
        | R::DecreaseTooHigh
        | R::AmendmentCanceled
        | R::NotRefundable
        | R::StageNotAllowed { .. }
        | R::EditWithStage(_)
        | R::RefundFailed => Code::FailedPrecondition,
        R::InventoryUnavailable => Code::ResourceExhausted,
        R::LineNotFound(_) => Code::NotFound,
        R::ProductTaken(_) => Code::AlreadyExists,
        R::LineTwice(_) => return invalid("items", refusal.code(), refusal.to_string()),
        R::Invalid(error) => return of_invalid(error),
        R::RefundNotPositive | R::RefundTooHigh => {
            return invalid("amount.amount_minor", refusal.code(), refusal.to_string());
        }
        R::RefundCurrency => {
            return invalid("amount.currency", refusal.code(), refusal.to_string());
        }
    };
    Refusal::new(code, refusal.code(), refusal.to_string())
}

fn of_invalid(error: &InvalidOrder) -> Refusal {
    let field = match error {
        InvalidOrder::NoCustomer => "customer_id".to_owned(),
        InvalidOrder::NoLines | InvalidOrder::TooManyLines | InvalidOrder::TotalOutOfRange => {
            "items".to_owned()
        }
        InvalidOrder::NoSku(i) => format!("items[{i}].sku"),
        InvalidOrder::NoQuantity(i) => format!("items[{i}].qty"),
        InvalidOrder::NoPrice(i) => format!("items[{i}].price.amount_minor"),
        InvalidOrder::OtherCurrency(i) => format!("items[{i}].price.currency"),
    };
    Refusal::invalid_field(field, error.to_string())
}

fn invalid(field: &str, reason: &'static str, message: String) -> Refusal {
    Refusal { reason, ..Refusal::invalid_field(field, message) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Status;

    #[test]
    fn the_documents_messages_come_with_their_codes() {
        use domain::Refusal as R;
        for (refusal, code, message) in [
            (R::NotPending, Code::FailedPrecondition, "order status must be pending"),
            (R::InventoryUnavailable, Code::ResourceExhausted, "inventory unavailable"),
            (R::PaymentDeclined, Code::FailedPrecondition, "payment declined"),
            (
                R::NotCancelable(Status::Shipped),
                Code::FailedPrecondition,
                "order cannot be canceled in status shipped",
            ),
            (
                R::NotShippable(Status::Pending),
                Code::FailedPrecondition,
                "order cannot be shipped in status pending",
            ),
            (
                R::NotCompletable(Status::Confirmed),
                Code::FailedPrecondition,
                "order cannot be completed in status confirmed",
            ),
            (R::NotRefundable, Code::FailedPrecondition, "order is not eligible for refund"),
            (R::RefundTooHigh, Code::InvalidArgument, "refund exceeds the captured amount"),
            (R::RefundFailed, Code::FailedPrecondition, "refund failed"),
            (R::Busy, Code::Aborted, "another operation on the order is in progress"),
            (
                R::VersionMismatch { expected: 1, actual: 2 },
                Code::Aborted,
                "order version is 2, not 1",
            ),
        ] {
            let told = of_domain(&refusal);
            assert_eq!((told.code, told.message.as_str()), (code, message));
        }
    }

    #[test]
    fn a_store_that_is_away_is_unavailable_and_an_inside_stays_inside() {
        let away = of_store(&Failure::transient("connection refused to 10.0.0.7"));
        assert_eq!(away.code, Code::Unavailable);
        let broken = of_store(&Failure::Unclassified("column secret is missing".to_owned()));
        assert_eq!(broken.code, Code::Internal);
        for told in [away, broken] {
            assert!(!told.message.contains("10.0.0.7") && !told.message.contains("secret"));
        }
    }
}
