//! Inventory and payment, played by the test: they answer what the order service says.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use oms_events::{EventData, inventory as i, order as o, payment as p};
use oms_messaging::{Event, Log, SimulatedLog};
use tokio::sync::watch;

use crate::support::{Speaker, TOPIC, record, totals_of};

/// How pay and amend runs are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paying {
    Approve,
    OutOfStock,
    Decline,
    /// Not yet.
    Wait,
}

/// How refunds are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refunding {
    Approve,
    Fail,
    /// Not yet.
    Wait,
}

/// The others' mood.
#[derive(Clone, Debug)]
pub(crate) struct Others {
    paying: Arc<watch::Sender<Paying>>,
    refunding: Arc<watch::Sender<Refunding>>,
    log: SimulatedLog,
}

/// What the others know of an order.
struct Known {
    inventory: Speaker,
    payment: Speaker,
    captured: i64,
    refunded: i64,
}

impl Others {
    pub(crate) fn on(log: SimulatedLog) -> Self {
        Self {
            paying: Arc::new(watch::Sender::new(Paying::Approve)),
            refunding: Arc::new(watch::Sender::new(Refunding::Approve)),
            log,
        }
    }

    pub(crate) fn pay(&self, how: Paying) {
        self.paying.send_replace(how);
    }

    pub(crate) fn refund(&self, how: Refunding) {
        self.refunding.send_replace(how);
    }

    /// Answers for ever. One order's events are heard in order; while an answer waits, all do.
    pub(crate) async fn run(self) -> Result<(), String> {
        let mut known: BTreeMap<String, Known> = BTreeMap::new();
        let mut subscription = self.log.subscribe("others", &[TOPIC]).await.unwrap();
        loop {
            let polled = subscription.poll(100, Duration::from_millis(20)).await.unwrap();
            for delivery in polled {
                let event = Event::parse(&delivery.record.payload).unwrap();
                if event.source == "/oms/order" {
                    let order = event.subject.clone();
                    let known = known.entry(order.clone()).or_insert_with(|| Known {
                        inventory: Speaker::inventory(&order),
                        payment: Speaker::payment(&order),
                        captured: 0,
                        refunded: 0,
                    });
                    let said = self.answer(known, &event).await;
                    let records = said.iter().map(|event| record(event, false)).collect();
                    for report in self.log.publish(records).await {
                        report.unwrap();
                    }
                }
            }
        }
    }

    async fn answer(&self, known: &mut Known, event: &Event) -> Vec<Event> {
        match event.event_type.as_str() {
            o::Submitted::TYPE => self.answer_submitted(known, event).await,
            o::Amended::TYPE => self.answer_amended(known, event).await,
            o::RefundRequested::TYPE => self.answer_refund(known, event).await,
            o::Canceled::TYPE => {
                let mut said = vec![known.inventory.say(&i::Released {})];
                let left = known.captured - known.refunded;
                if left > 0 {
                    known.refunded = known.captured;
                    let totals = totals_of(known.captured, known.refunded);
                    let refund_id = format!("cancel:{}", event.subject);
                    let amount = crate::support::amount(left);
                    said.push(known.payment.say(&p::Refunded { refund_id, amount, totals }));
                }
                let totals = totals_of(known.captured, known.refunded);
                said.push(known.payment.say(&p::Closed { totals }));
                said
            }
            o::Refunded::TYPE => {
                let o::Refunded { release } = event.data().unwrap();
                let answer = release.then(|| known.inventory.say(&i::Released {}));
                answer.into_iter().collect()
            }
            o::Shipped::TYPE => vec![known.inventory.say(&i::Dispatched {})],
            _ => Vec::new(),
        }
    }

    async fn answer_submitted(&self, known: &mut Known, event: &Event) -> Vec<Event> {
        let data: o::Submitted = event.data().unwrap();
        let mut mood = self.paying.subscribe();
        let how = *mood.wait_for(|how| *how != Paying::Wait).await.unwrap();
        let until = data.deadline;
        let reserved = i::Reserved { revision: 1, until };
        match how {
            Paying::OutOfStock => vec![known.inventory.say(&i::Rejected {
                revision: 1,
                reason: "out_of_stock".to_owned(),
                shortages: Vec::new(),
            })],
            Paying::Decline => {
                let declined = p::Declined {
                    revision: 1,
                    code: "card_declined".to_owned(),
                    reason: "declined".to_owned(),
                    totals: totals_of(0, 0),
                };
                vec![known.inventory.say(&reserved), known.payment.say(&declined)]
            }
            Paying::Approve | Paying::Wait => {
                known.captured = data.total.amount_minor;
                let totals = totals_of(known.captured, 0);
                let captured = p::Captured { revision: 1, amount: data.total, totals };
                vec![known.inventory.say(&reserved), known.payment.say(&captured)]
            }
        }
    }

    async fn answer_amended(&self, known: &mut Known, event: &Event) -> Vec<Event> {
        let data: o::Amended = event.data().unwrap();
        let mut mood = self.paying.subscribe();
        let how = *mood.wait_for(|how| *how != Paying::Wait).await.unwrap();
        let (revision, until) = (data.revision, event.time);
        if how == Paying::OutOfStock {
            let reason = "out_of_stock".to_owned();
            let rejected = i::Rejected { revision, reason, shortages: Vec::new() };
            return vec![known.inventory.say(&rejected)];
        }
        let reserved = known.inventory.say(&i::Reserved { revision, until });
        let difference = data.total.amount_minor - data.settled_total.amount_minor;
        let amount = crate::support::amount(difference.abs());
        let refund_id = format!("amend:{}:{revision}", event.subject);
        let code = "card_declined".to_owned();
        let declines = how == Paying::Decline;
        if !declines && difference >= 0 {
            known.captured += difference;
        } else if !declines {
            known.refunded -= difference;
        }
        let totals = totals_of(known.captured, known.refunded);
        let payment = &mut known.payment;
        let moved = match (difference >= 0, declines) {
            (true, false) => payment.say(&p::Captured { revision, amount, totals }),
            (true, true) => {
                let reason = "declined".to_owned();
                payment.say(&p::Declined { revision, code, reason, totals })
            }
            (false, false) => payment.say(&p::Refunded { refund_id, amount, totals }),
            (false, true) => payment.say(&p::RefundFailed { refund_id, amount, code, totals }),
        };
        vec![reserved, moved]
    }

    async fn answer_refund(&self, known: &mut Known, event: &Event) -> Vec<Event> {
        let o::RefundRequested { refund_id, amount, .. } = event.data().unwrap();
        let mut mood = self.refunding.subscribe();
        let how = *mood.wait_for(|how| *how != Refunding::Wait).await.unwrap();
        if how == Refunding::Fail {
            let totals = totals_of(known.captured, known.refunded);
            let code = "refund_declined".to_owned();
            return vec![known.payment.say(&p::RefundFailed { refund_id, amount, code, totals })];
        }
        known.refunded += amount.amount_minor;
        let totals = totals_of(known.captured, known.refunded);
        vec![known.payment.say(&p::Refunded { refund_id, amount, totals })]
    }
}
