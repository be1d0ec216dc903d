//! An order service that hears what a test says.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use oms_events::{EventData, inventory as i, payment as p};
use oms_messaging::{Consumer, Event, Failure, Log, MessagingMetrics, SimulatedLog, Step, tables};
use oms_order::{
    domain::{Amendment, Milestone, Order, Refund},
    queries::TimelineRow,
    reactions::{Aftermath, OrderReactor},
    store::{Changed, load_orders, load_timeline},
};
use prometheus_client::registry::Registry;
use sea_orm::{DatabaseTransaction, EntityTrait};
use uuid::Uuid;

use crate::support::{DEAD, Db, Speaker, TOPIC, amount, at, record, totals_of};

const GROUP: &str = "oms-order";

/// Notes what followed from reactions.
#[derive(Default)]
pub(crate) struct Followed {
    pub(crate) milestones: Mutex<Vec<(String, Milestone)>>,
    pub(crate) commits: Mutex<BTreeMap<String, u32>>,
    pub(crate) refunds: Mutex<Vec<Refund>>,
    pub(crate) amendments: Mutex<Vec<Amendment>>,
    /// What was told last of each order, until it is compared with what is stored.
    told: Mutex<BTreeMap<String, Changed>>,
}

#[async_trait]
impl Aftermath for Followed {
    async fn refund_ended(
        &self,
        _: &DatabaseTransaction,
        _: &Order,
        refund: &Refund,
        _: DateTime<Utc>,
    ) -> Result<(), Failure> {
        self.refunds.lock().unwrap().push(refund.clone());
        Ok(())
    }

    async fn runs_ended(
        &self,
        _: &DatabaseTransaction,
        _: &[Changed],
        _: DateTime<Utc>,
    ) -> Result<(), Failure> {
        Ok(())
    }

    async fn amendment_ended(
        &self,
        _: &DatabaseTransaction,
        _: &Order,
        ended: &Amendment,
    ) -> Result<(), Failure> {
        self.amendments.lock().unwrap().push(*ended);
        Ok(())
    }

    fn committed(&self, changed: Changed) {
        let order = changed.order.id().to_string();
        *self.commits.lock().unwrap().entry(order.clone()).or_default() += 1;
        let mut all = self.milestones.lock().unwrap();
        // Steps are timed, runs are counted; what is looked at here is what is counted.
        let counted =
            changed.milestones.iter().filter(|one| !matches!(one, Milestone::StepEnded { .. }));
        all.extend(counted.map(|milestone| (order.clone(), *milestone)));
        self.told.lock().unwrap().insert(order, changed);
    }
}

pub(crate) struct World {
    pub(crate) db: Db,
    pub(crate) log: SimulatedLog,
    pub(crate) followed: Arc<Followed>,
    consumer: Consumer<OrderReactor>,
}

impl World {
    pub(crate) fn new(db: Db) -> Self {
        let log = SimulatedLog::new(&[(TOPIC, 3), (DEAD, 1)]);
        let followed = Arc::new(Followed::default());
        let consumer = Consumer::new(
            db.messaging.clone(),
            Arc::new(OrderReactor::new(followed.clone())),
            Arc::new(log.clone()),
            GROUP.to_owned(),
            MessagingMetrics::register(&mut Registry::default()).for_service("order"),
        );
        Self { db, log, followed, consumer }
    }

    /// Says events in one go, and lets the service handle them.
    pub(crate) async fn hear(&mut self, events: &[&Event]) -> Step {
        self.publish(events, false).await
    }

    /// The same, as an ask (rule 10).
    pub(crate) async fn ask(&mut self, event: &Event) -> Step {
        self.publish(&[event], true).await
    }

    async fn publish(&mut self, events: &[&Event], ask: bool) -> Step {
        let records = events.iter().map(|event| record(event, ask)).collect();
        for report in self.log.publish(records).await {
            report.unwrap();
        }
        self.settle(events.len()).await
    }

    /// Steps until so many records are done with.
    async fn settle(&mut self, records: usize) -> Step {
        let mut sum = Step::default();
        for _ in 0..1_000 {
            if sum.handled >= records {
                return sum;
            }
            let step = self.consumer.step().await.unwrap();
            self.told_is_stored().await;
            sum.handled += step.handled;
            sum.moved += step.moved;
            sum.already += step.already;
            sum.duplicates += step.duplicates;
            sum.parked += step.parked;
            sum.dead_letters += step.dead_letters;
            sum.answered += step.answered;
        }
        panic!("only {sum:?} of {records} records were handled");
    }

    /// Whoever waits for an order need not read what a commit told of it.
    async fn told_is_stored(&self) {
        let told = std::mem::take(&mut *self.followed.told.lock().unwrap());
        for (id, changed) in told {
            let stored = load_orders(self.db.conn(), std::slice::from_ref(&id)).await.unwrap();
            assert_eq!(changed.order.state(), stored[&id].state());
            let newest = changed.entries.len().try_into().unwrap();
            let noted = load_timeline(self.db.conn(), &id, newest).await.unwrap();
            assert_eq!(changed.entries, noted);
            let of_the_newest = |entry: &TimelineRow| entry.version == changed.order.version();
            assert!(changed.entries.last().is_none_or(of_the_newest));
        }
    }

    /// Everything that was ever said to the service, once more, with an empty inbox.
    pub(crate) async fn hear_all_again_with_an_empty_inbox(&mut self) {
        tables::inbox::Entity::delete_many().exec(self.db.conn()).await.unwrap();
        let records = self.log.records(TOPIC).len();
        self.log.redeliver(GROUP, 0);
        self.settle(records).await;
    }
}

/// What the others say about an order of 250.00 USD.
pub(crate) struct Others {
    pub(crate) inventory: Speaker,
    pub(crate) payment: Speaker,
}

impl Others {
    pub(crate) fn about(n: u128) -> Self {
        let id = id(n);
        Self { inventory: Speaker::inventory(&id), payment: Speaker::payment(&id) }
    }

    pub(crate) fn reserved(&mut self) -> Event {
        self.inventory.say(&i::Reserved { revision: 1, until: at(600) })
    }

    pub(crate) fn rejected(&mut self) -> Event {
        let shortages =
            vec![oms_events::Quantity { sku: "SKU-001".into(), asked: 2, available: 0 }];
        self.inventory.say(&i::Rejected { revision: 1, reason: "out_of_stock".into(), shortages })
    }

    pub(crate) fn released(&mut self) -> Event {
        self.inventory.say(&i::Released {})
    }

    pub(crate) fn dispatched(&mut self) -> Event {
        self.inventory.say(&i::Dispatched {})
    }

    pub(crate) fn expired(&mut self) -> Event {
        self.inventory.say(&i::ReservationExpired { revision: 1 })
    }

    pub(crate) fn captured(&mut self) -> Event {
        let totals = totals_of(25_000, 0);
        self.payment.say(&p::Captured { revision: 1, amount: amount(25_000), totals })
    }

    pub(crate) fn declined(&mut self) -> Event {
        self.payment.say(&p::Declined {
            revision: 1,
            code: "card_declined".into(),
            reason: "the card was declined".into(),
            totals: totals_of(0, 0),
        })
    }

    pub(crate) fn refunded(&mut self, refund_id: &str, minor: i64, so_far: i64) -> Event {
        let totals = totals_of(25_000, so_far);
        let refund_id = refund_id.to_owned();
        self.payment.say(&p::Refunded { refund_id, amount: amount(minor), totals })
    }

    pub(crate) fn refund_failed(&mut self, refund_id: &str, minor: i64) -> Event {
        self.payment.say(&p::RefundFailed {
            refund_id: refund_id.to_owned(),
            amount: amount(minor),
            code: "refund_declined".into(),
            totals: totals_of(25_000, 0),
        })
    }

    pub(crate) fn closed(&mut self, captured: i64, refunded: i64) -> Event {
        self.payment.say(&p::Closed { totals: totals_of(captured, refunded) })
    }
}

pub(crate) fn id(n: u128) -> String {
    Uuid::from_u128(n).to_string()
}

/// Whether the types are those of the order service's events, without prefix and suffix.
pub(crate) fn are(said: &[String], expected: &[&str]) -> bool {
    let full = |name: &&str| format!("oms.order.{name}.v1");
    said.iter().cloned().eq(expected.iter().map(full))
}

/// The type of an event's data.
pub(crate) fn type_of<D: EventData>(_: &D) -> &'static str {
    D::TYPE
}
