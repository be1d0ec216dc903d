//! What inventory and payment say, as records of the log.

use chrono::Utc;
use oms_events::{Amount, EventData, payment::Totals};
use oms_messaging::{Event, Record};
use serde_json::value::to_raw_value;
use uuid::Uuid;

use super::{at, database::TOPIC};

/// Another service, speaking about one order.
pub(crate) struct Speaker {
    source: &'static str,
    subject: String,
    sequence: i64,
}

impl Speaker {
    pub(crate) fn inventory(order: &str) -> Self {
        Self { source: "/oms/inventory", subject: order.to_owned(), sequence: 0 }
    }

    pub(crate) fn payment(order: &str) -> Self {
        Self { source: "/oms/payment", subject: order.to_owned(), sequence: 0 }
    }

    /// Goes on at a later sequence.
    pub(crate) fn skip(&mut self, events: i64) {
        self.sequence += events;
    }

    /// The next event.
    pub(crate) fn say<D: EventData>(&mut self, data: &D) -> Event {
        self.sequence += 1;
        Event {
            event_type: D::TYPE.to_owned(),
            id: self.id(),
            source: self.source.to_owned(),
            subject: self.subject.clone(),
            time: at(self.sequence).with_timezone(&Utc),
            specversion: "1.0".to_owned(),
            datacontenttype: "application/json".to_owned(),
            sagaid: None,
            causationid: None,
            sequence: format!("{:010}", self.sequence),
            traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
            data: to_raw_value(data).unwrap(),
        }
    }

    /// An id of its own for each (source, order, sequence).
    fn id(&self) -> Uuid {
        let order = self
            .subject
            .bytes()
            .fold(7_u128, |sum, byte| sum.wrapping_mul(31).wrapping_add(u128::from(byte)));
        let source = u128::from(self.source == "/oms/payment");
        let n = u128::from(self.sequence.unsigned_abs());
        Uuid::from_u128((order << 20) | (source << 16) | n)
    }
}

/// An event as it lies on the log; `ask` is rule 10's question.
pub(crate) fn record(event: &Event, ask: bool) -> Record {
    let mut headers = vec![];
    if ask {
        headers.push(("oms-ask".to_owned(), b"1".to_vec()));
    }
    Record {
        topic: TOPIC.to_owned(),
        key: Some(event.subject.clone().into_bytes()),
        payload: event.to_payload().unwrap(),
        headers,
    }
}

pub(crate) fn totals_of(captured_minor: i64, refunded_minor: i64) -> Totals {
    Totals { captured_minor, refunded_minor }
}

pub(crate) fn amount(amount_minor: i64) -> Amount {
    Amount { amount_minor, currency: "USD".to_owned() }
}
