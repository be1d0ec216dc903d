//! Holds that outlive their time.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use oms_inventory::{expiry::Expiry, metrics::InventoryMetrics};
use oms_messaging::{Asker, ConsumerStatus, Event, MessagingMetrics, tables::outbox};
use prometheus_client::registry::Registry;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::support::{HOLD_FOR, Shop, canceled, confirmed, policy, submitted};

fn expiry(shop: &Shop, batch_max: u64) -> (Expiry, Arc<InventoryMetrics>) {
    let metrics = Arc::new(InventoryMetrics::register(&mut Registry::default()));
    let sweep = Duration::from_millis(1);
    let expiry = Expiry::new(shop.messaging.clone(), policy(), sweep, batch_max, metrics.clone());
    (expiry, metrics)
}

#[tokio::test]
async fn an_expired_hold_is_announced_once_and_gives_nothing_back() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10)]).await;
        let (expiry, metrics) = expiry(&shop, 10);
        let cause = submitted("order", &[("a", 2)]);
        shop.hear_one(&cause).await.unwrap();
        shop.clock.advance(HOLD_FOR - TimeDelta::microseconds(1));
        assert_eq!(expiry.step().await.unwrap(), 0);
        shop.clock.advance(TimeDelta::microseconds(1));
        assert_eq!(expiry.step().await.unwrap(), 1);
        assert_eq!(expiry.step().await.unwrap(), 0);
        assert_eq!(metrics.reservations_expired.get(), 1);
        let said = shop.said("order").await;
        assert_eq!(said[1], ("reservation_expired".to_owned(), serde_json::json!({"revision": 1})));
        assert_eq!(shop.stock("a").await.held, 2);
        assert!(shop.stream("order").await.ask_at.is_some(), "it goes on waiting");
        let expired = outbox::Entity::find()
            .filter(outbox::Column::EventType.contains("expired"))
            .one(shop.conn())
            .await;
        let expired = Event::parse(&expired.unwrap().unwrap().payload).unwrap();
        assert_eq!((expired.sagaid, expired.causationid), (cause.sagaid, None));
        let trace = |of: &Event| of.traceparent.as_deref().map(|text| text[3..35].to_owned());
        assert_eq!(trace(&expired), trace(&cause), "the trace alone: each event has its span");
        shop.audit().await;
        // Order's answer comes as always.
        shop.hear_one(&canceled("order")).await.unwrap();
        assert_eq!(shop.words("order").await[2], "released");
    }
}

#[tokio::test]
async fn holds_that_were_answered_do_not_expire() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10)]).await;
        let (expiry, _) = expiry(&shop, 10);
        for order in ["paid", "gone"] {
            shop.hear_one(&submitted(order, &[("a", 2)])).await.unwrap();
        }
        shop.hear_one(&confirmed("paid", &[("a", 2)])).await.unwrap();
        shop.hear_one(&canceled("gone")).await.unwrap();
        shop.hear_one(&submitted("poor", &[("a", 20)])).await.unwrap();
        shop.clock.advance(HOLD_FOR * 2);
        assert_eq!(expiry.step().await.unwrap(), 0);
    }
}

#[tokio::test]
async fn many_expired_holds_are_announced_in_bounded_batches() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10)]).await;
        let (expiry, metrics) = expiry(&shop, 3);
        for n in 0..7 {
            shop.hear_one(&submitted(&format!("order-{n}"), &[("a", 1)])).await.unwrap();
        }
        shop.clock.advance(HOLD_FOR);
        let mut sweeps = Vec::new();
        for _ in 0..4 {
            sweeps.push(expiry.step().await.unwrap());
        }
        assert_eq!(sweeps, [3, 3, 1, 0]);
        assert_eq!(metrics.reservations_expired.get(), 7);
    }
}

#[tokio::test]
async fn the_asker_repeats_what_expiry_said() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10)]).await;
        let (expiry, _) = expiry(&shop, 3);
        shop.hear_one(&submitted("order", &[("a", 1)])).await.unwrap();
        shop.clock.advance(HOLD_FOR);
        expiry.step().await.unwrap();
        let published = outbox::Entity::update_many()
            .col_expr(outbox::Column::PublishedAt, sea_orm::sea_query::Expr::value(1_i64));
        published.exec(shop.conn()).await.unwrap();
        let metrics = MessagingMetrics::register(&mut Registry::default());
        let mut asker = Asker::new(shop.messaging.clone(), metrics.for_service("inventory"));
        shop.clock.advance(TimeDelta::minutes(1));
        assert_eq!(asker.step().await.unwrap(), 1);
        let due = outbox::Entity::find().filter(outbox::Column::PublishedAt.is_null());
        let due = due.all(shop.conn()).await.unwrap();
        assert_eq!(due.len(), 2);
        let last = due.iter().max_by_key(|row| row.seq).unwrap();
        assert!(last.ask && last.event_type.contains("reservation_expired"));
    }
}

#[tokio::test]
async fn the_sweeper_waits_until_the_log_was_read_to_its_end() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10)]).await;
        shop.hear_one(&submitted("order", &[("a", 1)])).await.unwrap();
        shop.clock.advance(HOLD_FOR);
        let (expiry, metrics) = expiry(&shop, 3);
        let status = watch::Sender::new(ConsumerStatus::default());
        let stop = CancellationToken::new();
        let run = expiry.run_after(status.subscribe(), stop.clone());
        let watched = async {
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            assert_eq!(metrics.reservations_expired.get(), 0);
            status.send_modify(|status| status.caught_up = true);
            while metrics.reservations_expired.get() == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            stop.cancel();
        };
        let (ended, ()) = tokio::join!(run, watched);
        ended.unwrap();
        assert_eq!(shop.words("order").await, ["reserved", "reservation_expired"]);
    }
}
