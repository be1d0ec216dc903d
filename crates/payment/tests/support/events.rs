//! What order and inventory say, as payment hears it.

use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, Utc};
use oms_events::{
    Amount, EventData,
    inventory::Reserved,
    order::{Amended, Canceled, Confirmed, RefundRequested, Submitted},
};
use oms_messaging::Event;
use uuid::Uuid;

/// The order most tests are about.
pub(crate) const ORDER: &str = "018f5a00-0000-7000-8000-000000000001";

/// One of many orders.
pub(crate) fn order(n: usize) -> String {
    format!("018f5a00-0000-7000-8000-{:012}", 100 + n)
}

/// An event of any type, with an id of its own.
pub(crate) fn event_of<D: EventData>(order: &str, data: &D) -> Event {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let n = NEXT.fetch_add(1, Ordering::SeqCst);
    let source = D::TYPE.split('.').nth(1).unwrap();
    Event {
        event_type: D::TYPE.to_owned(),
        id: Uuid::from_u128(u128::from(n) << 64 | 0x7000_8000_0000_0000),
        source: format!("/oms/{source}"),
        subject: order.to_owned(),
        time: DateTime::<Utc>::UNIX_EPOCH,
        specversion: "1.0".to_owned(),
        datacontenttype: "application/json".to_owned(),
        sagaid: Some(Uuid::from_u128(7)),
        causationid: None,
        sequence: format!("{n:010}"),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
        data: serde_json::value::to_raw_value(data).unwrap(),
    }
}

fn usd(amount_minor: i64) -> Amount {
    Amount { amount_minor, currency: "USD".to_owned() }
}

pub(crate) fn submitted(order: &str, total: i64, method: &str) -> Event {
    submitted_by("customer-1", order, total, method)
}

pub(crate) fn submitted_by(customer: &str, order: &str, total: i64, method: &str) -> Event {
    let data = Submitted {
        revision: 1,
        customer_id: customer.to_owned(),
        lines: Vec::new(),
        total: usd(total),
        payment_method: method.to_owned(),
        deadline: DateTime::<Utc>::UNIX_EPOCH,
    };
    event_of(order, &data)
}

pub(crate) fn amended(
    order: &str,
    revision: i32,
    total: i64,
    settled: i64,
    method: Option<&str>,
) -> Event {
    let data = Amended {
        revision,
        lines: Vec::new(),
        total: usd(total),
        settled_revision: revision - 1,
        settled_lines: Vec::new(),
        settled_total: usd(settled),
        payment_method: method.map(str::to_owned),
    };
    event_of(order, &data)
}

pub(crate) fn reserved(order: &str, revision: i32) -> Event {
    event_of(order, &Reserved { revision, until: DateTime::<Utc>::UNIX_EPOCH })
}

pub(crate) fn confirmed(order: &str, revision: i32, total: i64) -> Event {
    let data = Confirmed { revision, lines: Vec::new(), total: usd(total), accepted: true };
    event_of(order, &data)
}

pub(crate) fn canceled(order: &str) -> Event {
    let data = Canceled { reason: "canceled".to_owned(), by: "customer".to_owned() };
    event_of(order, &data)
}

pub(crate) fn refund_requested(order: &str, refund_id: &str, amount: i64) -> Event {
    let data = RefundRequested {
        refund_id: refund_id.to_owned(),
        amount: usd(amount),
        reason: String::new(),
    };
    event_of(order, &data)
}
