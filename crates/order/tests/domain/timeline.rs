//! The timeline (I5).

use oms_order::domain::{Entry, Order};
use uuid::Uuid;

use crate::support::{Stage, at, call, cause, confirmed, order, paying, totals, usd};

fn texts(order: &mut Order) -> Vec<(&'static str, String)> {
    order.take_entries().into_iter().map(|entry| (entry.event_type, entry.payload)).collect()
}

const SUCCESS: [(&str, &str); 4] = [
    ("OrderCreated", r#"{"customer_id":"customer-123"}"#),
    ("OrderStatusChanged", r#"{"status":"reserved"}"#),
    ("OrderStatusChanged", r#"{"status":"paid"}"#),
    ("OrderStatusChanged", r#"{"status":"confirmed"}"#),
];

fn is_success(texts: &[(&'static str, String)]) -> bool {
    texts.iter().map(|(kind, payload)| (*kind, payload.as_str())).eq(SUCCESS)
}

#[test]
fn a_successful_order_has_exactly_the_documents_timeline() {
    assert!(is_success(&texts(&mut confirmed(1))));
}

#[test]
fn captured_before_reserved_writes_the_same_timeline() {
    let mut order = paying(1);
    order.note_captured(1, usd(25_000), totals(1, 25_000, 0), &cause(2)).unwrap();
    order.note_reserved(1, &cause(3)).unwrap();
    assert!(is_success(&texts(&mut order)));
}

#[test]
fn versions_are_gapless_in_every_stage() {
    for stage in Stage::ALL {
        let mut order = stage.build(1);
        let version = order.version();
        let updated_at = order.updated_at();
        let entries = order.take_entries();
        let versions: Vec<i32> = entries.iter().map(|entry| entry.version).collect();
        assert_eq!(versions, (1..=version).collect::<Vec<_>>(), "{stage:?}");
        assert_eq!(entries.last().map(|entry| entry.at), Some(updated_at), "{stage:?}");
        assert!(entries.is_sorted_by_key(|entry| entry.at), "{stage:?}");
        for Entry { payload, .. } in entries {
            serde_json::from_str::<serde_json::Map<_, _>>(&payload).unwrap();
        }
    }
}

#[test]
fn an_entry_tells_its_cause() {
    let entries = confirmed(1).take_entries();
    assert_eq!(entries[0].event_id, None);
    assert!(entries[0].trace_id.is_some());
    assert_eq!(entries[1].event_id, cause(2).event_id);
    assert_eq!((entries[2].event_id, entries[3].event_id), (cause(3).event_id, cause(3).event_id));
    assert_eq!(entries[3].at, at(3));
}

#[test]
fn a_cancellation_tells_its_reason() {
    let mut customer = order(1);
    customer.cancel("say \"why\"", &call(5)).unwrap();
    let (kind, payload) = texts(&mut customer).pop().unwrap();
    let payload: serde_json::Value = serde_json::from_str(&payload).unwrap();
    assert_eq!(kind, "OrderStatusChanged");
    assert_eq!(payload["status"], "canceled");
    assert_eq!(
        (&payload["code"], &payload["message"]),
        (&"customer".into(), &"say \"why\"".into())
    );

    let mut rejected = paying(1);
    rejected.note_rejected(1, "out_of_stock; SKU-1: 2 asked, 0 available", &cause(5)).unwrap();
    let payload = texts(&mut rejected).pop().unwrap().1;
    assert!(payload.contains("SKU-1: 2 asked"), "{payload}");
    assert_eq!(rejected.status_reason().unwrap().message, "inventory unavailable");
}

#[test]
fn compensations_and_refunds_have_entries_of_their_own() {
    let mut order = confirmed(1);
    order.request_refund(Uuid::from_u128(1), Some(usd(5_000)), "damaged", &call(10)).unwrap();
    let id = Uuid::from_u128(1).to_string();
    order.note_refunded(&id, usd(5_000), totals(2, 25_000, 5_000), &cause(11)).unwrap();
    order.cancel("", &call(12)).unwrap();
    order.note_released(&cause(13)).unwrap();
    let cancel = format!("cancel:{}", order.id());
    order.note_refunded(&cancel, usd(20_000), totals(3, 25_000, 25_000), &cause(14)).unwrap();
    order.note_closed(totals(4, 25_000, 25_000), &cause(15)).unwrap();
    let kinds: Vec<_> = texts(&mut order).into_iter().skip(4).map(|(kind, _)| kind).collect();
    let expected = [
        "RefundRequested",
        "OrderRefunded",
        "OrderStatusChanged",
        "StockReleased",
        "OrderRefunded",
        "PaymentClosed",
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn a_full_refund_ends_with_the_status() {
    let kinds = texts(&mut Stage::Refunded.build(1));
    assert_eq!(kinds.last(), Some(&("OrderStatusChanged", r#"{"status":"refunded"}"#.to_owned())));
}

#[test]
fn an_order_never_submitted_has_no_compensations_to_show() {
    let mut order = Stage::CanceledPending.build(1);
    order.note_released(&cause(60)).unwrap();
    order.note_closed(totals(1, 0, 0), &cause(61)).unwrap();
    assert_eq!(order.version(), 2);
}
