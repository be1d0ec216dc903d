//! Why a command was refused.

use uuid::Uuid;

use super::{InvalidOrder, Stage, Status};

/// A command that did nothing. Each variant has a stable code and the message callers see.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The caller expected another version.
    #[error("order version is {actual}, not {expected}")]
    VersionMismatch {
        /// What the caller said.
        expected: i32,
        /// What it is.
        actual: i32,
    },
    /// The caller expected it to be as it was at another instant.
    #[error("order was updated meanwhile")]
    UpdatedMeanwhile,
    /// Another run is open; wait for its end and try again.
    #[error("another operation on the order is in progress")]
    Busy,
    /// Only a PENDING order can be paid.
    #[error("order status must be pending")]
    NotPending,
    /// The pay or amend run failed because a line could not be held.
    #[error("inventory unavailable")]
    InventoryUnavailable,
    /// The pay or amend run failed because the money could not be taken.
    #[error("payment declined")]
    PaymentDeclined,
    /// Too late to cancel.
    #[error("order cannot be canceled in status {0}")]
    NotCancelable(Status),
    /// Only a CONFIRMED order can be shipped.
    #[error("order cannot be shipped in status {0}")]
    NotShippable(Status),
    /// Only a SHIPPED order can be completed.
    #[error("order cannot be completed in status {0}")]
    NotCompletable(Status),
    /// Its goods have left, or the order is dead.
    #[error("order cannot be changed in status {0}")]
    NotEditable(Status),
    /// Once a run was begun, the customer and the currency stay.
    #[error("{0} can be changed only while the order is pending")]
    FixedOncePaid(&'static str),
    /// No line of the order has this id.
    #[error("item {0} not found in the order")]
    LineNotFound(Uuid),
    /// A line is named twice.
    #[error("item {0} is named twice")]
    LineTwice(Uuid),
    /// The product to be added is on the order already.
    #[error("product {0} is in the order already")]
    ProductTaken(String),
    /// An order without lines is none.
    #[error("the last item of an order cannot be removed")]
    LastLine,
    /// What the order is to cost less is more than is left of its money.
    #[error("the decrease exceeds what is left of the payment")]
    DecreaseTooHigh,
    /// The order was cancelled before the change took effect.
    #[error("the order was canceled before the change took effect")]
    AmendmentCanceled,
    /// No order can be what was asked for.
    #[error(transparent)]
    Invalid(InvalidOrder),
    /// Nothing was captured, nothing is left, or the cancellation is not settled yet.
    #[error("order is not eligible for refund")]
    NotRefundable,
    /// A refund of nothing or less.
    #[error("amount.amount_minor must be positive")]
    RefundNotPositive,
    /// A refund in another currency than the order's.
    #[error("amount.currency mismatch")]
    RefundCurrency,
    /// More than captured − refunded.
    #[error("refund exceeds the captured amount")]
    RefundTooHigh,
    /// Payment could not give the money back.
    #[error("refund failed")]
    RefundFailed,
    /// No way leads there.
    #[error(
        "order status cannot change from {from} to {to}; allowed: {}",
        Stage::words(.allowed)
    )]
    StageNotAllowed {
        /// Where the order stands.
        from: Stage,
        /// Where the caller wants it.
        to: Stage,
        /// Where it may go.
        allowed: &'static [Stage],
    },
    /// What was paid changes by a run, which has to end before anything else begins.
    #[error("items of an order in Processing cannot change together with its status to {0}")]
    EditWithStage(Stage),
}

impl Refusal {
    /// The stable code, as it stands in `google.rpc.ErrorInfo`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::VersionMismatch { .. } => "ORDER_VERSION_MISMATCH",
            Self::UpdatedMeanwhile => "ORDER_UPDATED_MEANWHILE",
            Self::Busy => "ORDER_BUSY",
            Self::NotPending => "ORDER_NOT_PENDING",
            Self::InventoryUnavailable => "INVENTORY_UNAVAILABLE",
            Self::PaymentDeclined => "PAYMENT_DECLINED",
            Self::NotCancelable(_) => "ORDER_NOT_CANCELABLE",
            Self::NotShippable(_) => "ORDER_NOT_SHIPPABLE",
            Self::NotCompletable(_) => "ORDER_NOT_COMPLETABLE",
            Self::NotEditable(_) => "ORDER_NOT_EDITABLE",
            Self::FixedOncePaid(_) => "FIXED_ONCE_PAID",
            Self::LineNotFound(_) => "ITEM_NOT_FOUND",
            Self::LineTwice(_) => "ITEM_NAMED_TWICE",
            Self::ProductTaken(_) => "PRODUCT_IN_ORDER",
            Self::LastLine => "LAST_ITEM",
            Self::DecreaseTooHigh => "DECREASE_TOO_HIGH",
            Self::AmendmentCanceled => "AMENDMENT_CANCELED",
            Self::Invalid(_) => "INVALID_ORDER",
            Self::NotRefundable => "ORDER_NOT_REFUNDABLE",
            Self::RefundNotPositive => "REFUND_NOT_POSITIVE",
            Self::RefundCurrency => "REFUND_CURRENCY_MISMATCH",
            Self::RefundTooHigh => "REFUND_TOO_HIGH",
            Self::RefundFailed => "REFUND_FAILED",
            Self::StageNotAllowed { .. } => "ORDER_STATUS_NOT_ALLOWED",
            Self::EditWithStage(_) => "EDIT_WITH_STATUS",
        }
    }
}
