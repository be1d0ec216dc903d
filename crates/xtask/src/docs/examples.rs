//! One example of each event's data, built from the structs that services say and hear.

use chrono::{DateTime, Utc};
use oms_events::{Amount, EventData, Line, Quantity, inventory, order, payment};
/// The order all examples are about.
pub(super) const ORDER: &str = "019a2b3c-4d5e-7f60-8a1b-2c3d4e5f6070";

/// The refund all examples are about.
const REFUND: &str = "019a2b3c-4d5e-7f60-8a1b-2c3d4e5f6074";

/// The event that an operator takes in hand.
const PARKED: &str = "019a2b3c-4d5e-7f60-8a1b-2c3d4e5f6075";

/// The example's data for a type of event, as JSON with its fields in the order of the wire.
pub(super) fn data(event_type: &str) -> Option<String> {
    let mut all = order().into_iter().chain(inventory()).chain(payment());
    all.find(|(name, _)| *name == event_type).map(|(_, data)| data)
}

type Example = (&'static str, String);

fn example<D: EventData>(data: &D) -> Example {
    (D::TYPE, serde_json::to_string_pretty(data).unwrap_or_default())
}

fn usd(amount_minor: i64) -> Amount {
    Amount { amount_minor, currency: "USD".into() }
}

fn lines() -> Vec<Line> {
    vec![
        Line { sku: "SKU-001".into(), qty: 2, price: usd(10_000) },
        Line { sku: "SKU-002".into(), qty: 1, price: usd(5_000) },
    ]
}

/// 2026-01-02T03:19:05Z, a quarter of an hour after the envelope's time.
fn until() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_323_945, 0).unwrap_or_default()
}

fn order() -> [Example; 9] {
    [
        example(&order::Created {
            customer_id: "customer-123".into(),
            lines: lines(),
            total: usd(25_000),
        }),
        example(&order::Submitted {
            revision: 1,
            customer_id: "customer-123".into(),
            lines: lines(),
            total: usd(25_000),
            payment_method: "pm_card_visa".into(),
            deadline: until(),
        }),
        example(&amended()),
        example(&order::Confirmed {
            revision: 1,
            lines: lines(),
            total: usd(25_000),
            accepted: true,
        }),
        example(&order::Canceled { reason: "customer".into(), by: "customer".into() }),
        example(&order::RefundRequested {
            refund_id: REFUND.into(),
            amount: usd(10_000),
            reason: "Damaged item".into(),
        }),
        example(&order::Refunded { release: true }),
        example(&order::Shipped { revision: 1, lines: lines() }),
        example(&order::Completed {}),
    ]
}

fn amended() -> order::Amended {
    order::Amended {
        revision: 2,
        lines: vec![Line { sku: "SKU-001".into(), qty: 3, price: usd(10_000) }],
        total: usd(30_000),
        settled_revision: 1,
        settled_lines: lines(),
        settled_total: usd(25_000),
        payment_method: None,
    }
}

fn inventory() -> [Example; 6] {
    let missing = Quantity { sku: "SKU-002".into(), asked: 1, available: 0 };
    [
        example(&inventory::Reserved { revision: 1, until: until() }),
        example(&inventory::Rejected {
            revision: 1,
            reason: "out_of_stock".into(),
            shortages: vec![missing],
        }),
        example(&inventory::Released {}),
        example(&inventory::ReservationExpired { revision: 1 }),
        example(&inventory::Dispatched {}),
        example(&inventory::Intervened {
            event_id: PARKED.into(),
            event_type: "oms.order.submitted.v1".into(),
            action: "redriven".into(),
            note: "SKU-002 was missing from the catalogue".into(),
        }),
    ]
}

fn payment() -> [Example; 6] {
    let totals =
        |captured_minor, refunded_minor| payment::Totals { captured_minor, refunded_minor };
    [
        example(&payment::Captured { revision: 1, amount: usd(25_000), totals: totals(25_000, 0) }),
        example(&payment::Declined {
            revision: 1,
            code: "card_declined".into(),
            reason: "The card was declined.".into(),
            totals: totals(0, 0),
        }),
        example(&payment::Refunded {
            refund_id: REFUND.into(),
            amount: usd(10_000),
            totals: totals(25_000, 10_000),
        }),
        example(&payment::RefundFailed {
            refund_id: REFUND.into(),
            amount: usd(10_000),
            code: "nothing_left".into(),
            totals: totals(25_000, 25_000),
        }),
        example(&payment::Closed { totals: totals(25_000, 25_000) }),
        example(&payment::Intervened {
            event_id: PARKED.into(),
            event_type: "oms.order.canceled.v1".into(),
            action: "discarded".into(),
            note: "settled by hand".into(),
        }),
    ]
}

#[cfg(test)]
mod tests {
    use oms_events::catalogue;

    use super::*;

    #[test]
    fn there_is_one_example_for_each_event_and_none_besides() {
        let examples: Vec<_> = order().into_iter().chain(inventory()).chain(payment()).collect();
        assert_eq!(examples.len(), catalogue().len());
        for (event_type, data) in examples {
            assert!(catalogue().iter().any(|entry| entry.event_type == event_type));
            assert!(data.starts_with('{'), "{event_type}");
        }
    }
}
