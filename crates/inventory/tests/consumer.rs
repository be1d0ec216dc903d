//! The reactions behind messaging's own consumer: inbox, one-by-one fallback, dead letters, asks.

use std::sync::Arc;

use oms_messaging::{
    Consumer, Event, Log, MessagingMetrics, Record, SimulatedLog, Step,
    tables::{inbox, outbox, parked},
};
use prometheus_client::registry::Registry;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, sea_query::Expr};

use crate::support::{Shop, canceled, confirmed, event, submitted};

struct Line {
    shop: Shop,
    log: SimulatedLog,
    consumer: Consumer<oms_inventory::reactions::InventoryReactor>,
}

impl Line {
    async fn everywhere(stock: &[(&str, i64)]) -> Vec<Self> {
        let mut lines = Vec::new();
        for shop in Shop::everywhere().await {
            let shop = shop.with(stock).await;
            let log = SimulatedLog::new(&[("events", 1), ("dlq", 1)]);
            let metrics = MessagingMetrics::register(&mut Registry::default());
            let consumer = Consumer::new(
                shop.messaging.clone(),
                shop.reactor.clone(),
                Arc::new(log.clone()),
                "oms-inventory".to_owned(),
                metrics.for_service("inventory"),
            );
            lines.push(Self { shop, log, consumer });
        }
        lines
    }

    async fn publish(&self, events: &[Event], ask: bool) {
        let record = |event: &Event| Record {
            topic: "events".to_owned(),
            key: Some(event.subject.clone().into_bytes()),
            payload: event.to_payload().unwrap(),
            headers: if ask { vec![("oms-ask".to_owned(), b"1".to_vec())] } else { vec![] },
        };
        for report in self.log.publish(events.iter().map(record).collect()).await {
            report.unwrap();
        }
    }

    /// Steps until everything on the log is done with, and sums what was done.
    async fn drain(&mut self) -> Step {
        let mut sum = Step::default();
        loop {
            let step = self.consumer.step().await.unwrap();
            sum.moved += step.moved;
            sum.already += step.already;
            sum.duplicates += step.duplicates;
            sum.ignored += step.ignored;
            sum.dead_letters += step.dead_letters;
            sum.parked += step.parked;
            sum.answered += step.answered;
            if step.is_idle() && self.consumer.status().borrow().lag == 0 {
                return sum;
            }
        }
    }
}

#[tokio::test]
async fn the_inbox_keeps_duplicates_from_the_reactions() {
    for mut line in Line::everywhere(&[("a", 10)]).await {
        let said = submitted("order", &[("a", 1)]);
        line.publish(&[said.clone(), said.clone()], false).await;
        let first = line.drain().await;
        assert_eq!((first.moved, first.duplicates), (1, 1), "the same id twice in a batch");
        line.publish(&[said], false).await;
        let again = line.drain().await;
        assert_eq!((again.moved, again.already, again.duplicates), (0, 0, 1));
        assert_eq!(line.shop.words("order").await, ["reserved"]);
        let applied = inbox::Entity::find().count(line.shop.conn()).await.unwrap();
        assert_eq!(applied, 1);
    }
}

#[tokio::test]
async fn the_whole_log_read_again_with_an_empty_inbox_changes_nothing() {
    for mut line in Line::everywhere(&[("a", 10)]).await {
        let story = [
            submitted("paid", &[("a", 1)]),
            confirmed("paid", &[("a", 1)]),
            submitted("gone", &[("a", 2)]),
            canceled("gone"),
        ];
        line.publish(&story, false).await;
        assert_eq!(line.drain().await.moved, 4);
        let rows = line.shop.rows().await;
        inbox::Entity::delete_many().exec(line.shop.conn()).await.unwrap();
        line.log.redeliver("oms-inventory", 0);
        let again = line.drain().await;
        assert_eq!((again.moved, again.already), (0, 4));
        assert_eq!(line.shop.rows().await, rows);
        line.shop.audit().await;
    }
}

#[tokio::test]
async fn an_ask_makes_inventory_say_everything_again_whatever_the_type() {
    for mut line in Line::everywhere(&[("a", 10)]).await {
        let said = submitted("order", &[("a", 1)]);
        let unheard = oms_events::order::Created {
            customer_id: "c".to_owned(),
            lines: vec![],
            total: oms_events::Amount { amount_minor: 1, currency: "USD".to_owned() },
        };
        line.publish(std::slice::from_ref(&said), false).await;
        line.drain().await;
        for question in [said, event("order", &unheard)] {
            let published = outbox::Entity::update_many()
                .col_expr(outbox::Column::PublishedAt, Expr::value(1_i64));
            published.exec(line.shop.conn()).await.unwrap();
            line.publish(&[question], true).await;
            assert_eq!(line.drain().await.answered, 1);
            let due = outbox::Entity::find().filter(outbox::Column::PublishedAt.is_null());
            let due = due.all(line.shop.conn()).await.unwrap();
            assert_eq!(due.len(), 1);
            assert!(due[0].event_type.contains("reserved") && !due[0].ask, "never a question");
        }
        assert_eq!(line.shop.words("order").await, ["reserved"], "said again, not anew");
    }
}

#[tokio::test]
async fn one_poisoned_order_in_a_batch_is_parked_and_the_others_go_on() {
    for mut line in Line::everywhere(&[("a", 1)]).await {
        let batch = [
            submitted("one", &[("a", 1)]),
            confirmed("never", &[("a", 1)]),
            submitted("two", &[("a", 1)]),
            submitted("never", &[("a", 1)]),
            confirmed("one", &[("a", 1)]),
        ];
        line.publish(&batch, false).await;
        let step = line.drain().await;
        assert_eq!((step.dead_letters, step.parked), (1, 2));
        assert_eq!(line.shop.status("one").await, "COMMITTED");
        assert_eq!(line.shop.status("two").await, "REJECTED");
        assert_eq!(line.shop.status("never").await, "unheard");
        let reasons = parked::Entity::find().all(line.shop.conn()).await.unwrap();
        let reasons: Vec<_> = reasons.iter().map(|row| row.reason.as_str()).collect();
        assert_eq!(reasons, ["refused_transition", "parked_behind"]);
        line.shop.audit().await;
    }
}
