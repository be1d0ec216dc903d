//! The next step after a refusal, by its reason.

use crate::cli::Failure;

/// The failure with what can be done about it for this order.
pub(super) fn about(order: &str, failure: Failure) -> Failure {
    let step = match failure.reason.as_deref() {
        Some("ORDER_NOT_FOUND") => "`oms order list` names the newest orders".to_owned(),
        Some("ORDER_NOT_PENDING" | "ORDER_NOT_REFUNDABLE") => {
            format!("`oms order show {order}` tells where it stands and why")
        }
        Some("INVENTORY_UNAVAILABLE") => {
            "`oms stock show SKU` tells what is there; then create a new order".to_owned()
        }
        Some("PAYMENT_DECLINED") => "create a new order and pay with another --method".to_owned(),
        Some("ORDER_NOT_CANCELABLE") => {
            format!("the money can still be given back: `oms order refund {order}`")
        }
        Some("ORDER_VERSION_MISMATCH") => {
            format!("look again with `oms order show {order}` and decide anew")
        }
        _ => return failure,
    };
    failure.next(step)
}
