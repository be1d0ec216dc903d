//! Events as order says them.

use chrono::{DateTime, Utc};
use oms_events::{Amount, EventData, Line, order};
use oms_messaging::Event;
use oms_seams::{Ids, SystemIds};

fn amount() -> Amount {
    Amount { amount_minor: 100, currency: "USD".to_owned() }
}

/// Lines of an event.
pub fn lines(lines: &[(&str, i64)]) -> Vec<Line> {
    let line =
        |(sku, qty): &(&str, i64)| Line { sku: (*sku).to_owned(), qty: *qty, price: amount() };
    lines.iter().map(line).collect()
}

/// An event of order about `subject`, with a fresh id.
pub fn event<D: EventData>(subject: &str, data: &D) -> Event {
    Event {
        event_type: D::TYPE.to_owned(),
        id: SystemIds.next(),
        source: "/oms/order".to_owned(),
        subject: subject.to_owned(),
        time: DateTime::<Utc>::UNIX_EPOCH,
        specversion: "1.0".to_owned(),
        datacontenttype: "application/json".to_owned(),
        sagaid: Some(SystemIds.next()),
        causationid: None,
        sequence: "0000000001".to_owned(),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
        data: serde_json::value::to_raw_value(data).unwrap(),
    }
}

/// `submitted` at a revision.
pub fn submitted_at(order: &str, revision: i32, wanted: &[(&str, i64)]) -> Event {
    let data = order::Submitted {
        revision,
        customer_id: "customer".to_owned(),
        lines: lines(wanted),
        total: amount(),
        payment_method: "pm_card_visa".to_owned(),
        deadline: DateTime::<Utc>::UNIX_EPOCH,
    };
    event(order, &data)
}

/// `submitted`, revision 1.
pub fn submitted(order: &str, wanted: &[(&str, i64)]) -> Event {
    submitted_at(order, 1, wanted)
}

/// `confirmed` at a revision.
pub fn confirmed_at(order: &str, revision: i32, wanted: &[(&str, i64)]) -> Event {
    let (lines, total) = (lines(wanted), amount());
    event(order, &order::Confirmed { revision, lines, total, accepted: true })
}

/// `confirmed`, revision 1.
pub fn confirmed(order: &str, wanted: &[(&str, i64)]) -> Event {
    confirmed_at(order, 1, wanted)
}

/// `canceled`.
pub fn canceled(order: &str) -> Event {
    let (reason, by) = ("customer".to_owned(), "customer".to_owned());
    event(order, &order::Canceled { reason, by })
}

/// `shipped`, revision 1.
pub fn shipped(order: &str, leaving: &[(&str, i64)]) -> Event {
    event(order, &order::Shipped { revision: 1, lines: lines(leaving) })
}

/// `order.refunded`.
pub fn refunded(order: &str, release: bool) -> Event {
    event(order, &order::Refunded { release })
}
