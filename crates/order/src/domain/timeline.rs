//! The timeline: everything that happened to an order, one gapless version each (I5).

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::{AmendmentEnd, Intervention, Money, Status, StatusReason};

/// One entry of the timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The order's version with this entry; the first is 1.
    pub version: i32,
    /// What happened, for example `OrderStatusChanged`.
    pub event_type: &'static str,
    /// Details as a JSON object.
    pub payload: String,
    /// When.
    pub at: DateTime<Utc>,
    /// The event that caused it; absent when a call or this service itself did.
    pub event_id: Option<Uuid>,
    /// The trace in which it happened.
    pub trace_id: Option<String>,
}

/// What can be written on a timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Happening<'a> {
    Created {
        customer_id: &'a str,
    },
    Became(Status),
    Edited {
        change: &'a str,
        items: usize,
        total: Money,
        customer_id: Option<&'a str>,
    },
    AmendmentRequested {
        revision: i32,
        change: &'a str,
        items: usize,
        settled: Money,
        desired: Money,
    },
    Amended {
        revision: i32,
        items: usize,
        settled: Money,
        desired: Money,
    },
    AmendmentRefused {
        revision: i32,
        end: AmendmentEnd,
        detail: &'a str,
    },
    Canceled {
        reason: &'a StatusReason,
        detail: &'a str,
    },
    CapturedLate(Money),
    RefundRequested {
        refund_id: &'a str,
        amount: Money,
        reason: &'a str,
    },
    RefundSucceeded {
        refund_id: &'a str,
        amount: Money,
    },
    RefundFailed {
        refund_id: &'a str,
        amount: Money,
        code: &'a str,
    },
    StockReleased,
    PaymentClosed {
        kept: Money,
    },
    Intervened(&'a Intervention),
}

impl Happening<'_> {
    /// Event type and payload, as API clients read them. The first two are printed in
    /// `docs/api.md`.
    pub(super) fn text(&self) -> (&'static str, String) {
        let (event_type, payload) = match self {
            Self::Created { customer_id } => ("OrderCreated", json!({"customer_id": customer_id})),
            Self::Became(status) => ("OrderStatusChanged", json!({"status": status.as_str()})),
            Self::Edited { change, items, total, customer_id } => {
                ("OrderEdited", edited(change, *items, *total, *customer_id))
            }
            Self::AmendmentRequested { revision, change, items, settled, desired } => {
                let mut payload = amended(*revision, *items, *settled, *desired);
                payload["change"] = json!(change);
                ("AmendmentRequested", payload)
            }
            Self::Amended { revision, items, settled, desired } => {
                ("OrderAmended", amended(*revision, *items, *settled, *desired))
            }
            Self::AmendmentRefused { revision, end, detail } => (
                "AmendmentRefused",
                json!({"revision": revision, "code": end.as_str(), "detail": detail}),
            ),
            Self::Canceled { reason, detail } => ("OrderStatusChanged", canceled(reason, detail)),
            Self::CapturedLate(amount) => ("PaymentCaptured", amount_json(*amount)),
            Self::RefundRequested { refund_id, amount, reason } => (
                "RefundRequested",
                json!({
                    "refund_id": refund_id,
                    "amount_minor": amount.minor(),
                    "currency": amount.currency().code(),
                    "reason": reason,
                }),
            ),
            Self::RefundSucceeded { refund_id, amount } => (
                "OrderRefunded",
                json!({
                    "refund_id": refund_id,
                    "amount_minor": amount.minor(),
                    "currency": amount.currency().code(),
                }),
            ),
            Self::RefundFailed { refund_id, amount, code } => (
                "RefundFailed",
                json!({
                    "refund_id": refund_id,
                    "amount_minor": amount.minor(),
                    "currency": amount.currency().code(),
                    "code": code,
                }),
            ),
            Self::StockReleased => ("StockReleased", json!({})),
            Self::PaymentClosed { kept } => ("PaymentClosed", json!({"kept_minor": kept.minor()})),
            Self::Intervened(what) => (what.title(), what.details()),
        };
        (event_type, payload.to_string())
    }
}

fn amount_json(amount: Money) -> serde_json::Value {
    json!({"amount_minor": amount.minor(), "currency": amount.currency().code()})
}

fn edited(
    change: &str,
    items: usize,
    total: Money,
    customer_id: Option<&str>,
) -> serde_json::Value {
    let mut payload = json!({
        "change": change,
        "items": items,
        "amount_minor": total.minor(),
        "currency": total.currency().code(),
    });
    if let Some(customer_id) = customer_id {
        payload["customer_id"] = json!(customer_id);
    }
    payload
}

/// `difference_minor` is what it costs more; below zero what goes back.
fn amended(revision: i32, items: usize, settled: Money, desired: Money) -> serde_json::Value {
    json!({
        "revision": revision,
        "items": items,
        "amount_minor": desired.minor(),
        "difference_minor": desired.minor().saturating_sub(settled.minor()),
        "currency": desired.currency().code(),
    })
}

fn canceled(reason: &StatusReason, detail: &str) -> serde_json::Value {
    let StatusReason { code, message } = reason;
    let status = Status::Canceled.as_str();
    if detail.is_empty() {
        json!({"status": status, "code": code, "message": message})
    } else {
        json!({"status": status, "code": code, "message": message, "detail": detail})
    }
}
