//! Names that payment derives from its own ids, for refunds and for the gateway.

/// The one refund that gives back what a cancelled order had paid.
#[must_use]
pub fn cancel_refund_id(order_id: &str) -> String {
    format!("cancel:{order_id}")
}

/// The refund that gives back what an amendment costs less.
#[must_use]
pub fn amend_refund_id(order_id: &str, revision: i32) -> String {
    format!("amend:{order_id}:{revision}")
}

/// The revision whose decrease a refund of this order gives back; none for any other refund.
#[must_use]
pub fn amended_revision(refund_id: &str, order_id: &str) -> Option<i32> {
    refund_id.strip_prefix("amend:")?.strip_prefix(order_id)?.strip_prefix(':')?.parse().ok()
}

/// The key under which the gateway knows a capture. Derived from our own ids, so that every process
/// asks with the same key, also after a crash (I4).
#[must_use]
pub fn capture_key(order_id: &str, revision: i32) -> String {
    format!("capture:{order_id}:{revision}")
}

/// The key under which the gateway knows a refund (I4).
#[must_use]
pub fn refund_key(refund_id: &str) -> String {
    format!("refund:{refund_id}")
}
