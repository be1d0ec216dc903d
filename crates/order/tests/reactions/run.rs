//! Whole runs, told by what others say.

use std::sync::Arc;

use oms_messaging::Reactor;
use oms_order::{
    domain::{Milestone, RunKind, RunOutcome, Status},
    reactions::OrderReactor,
};

use super::world::{Followed, Others, World, are, id};
use crate::support::{Stage, call, confirmed, databases, paying, usd};

#[tokio::test]
async fn a_paid_order_says_created_submitted_confirmed_and_nothing_else() {
    for db in databases().await {
        let mut world = World::new(db);
        world.db.insert([paying(1)]).await;
        let mut others = Others::about(1);
        let step = world.hear(&[&others.reserved(), &others.captured()]).await;
        assert_eq!((step.moved, step.already), (2, 0));
        let order = world.db.order(&id(1)).await;
        assert_eq!((order.status(), order.run_kind()), (Status::Confirmed, RunKind::Idle));
        assert_eq!(order.ledger().captured, usd(25_000));
        assert!(are(&world.db.said(&id(1)).await, &["created", "submitted", "confirmed"]));
        let timeline = world.db.timeline(&id(1)).await;
        let kinds: Vec<_> =
            timeline.iter().map(|e| (e.event_type.as_str(), e.payload.as_str())).collect();
        assert_eq!(
            kinds,
            [
                ("OrderCreated", r#"{"customer_id":"customer-123"}"#),
                ("OrderStatusChanged", r#"{"status":"reserved"}"#),
                ("OrderStatusChanged", r#"{"status":"paid"}"#),
                ("OrderStatusChanged", r#"{"status":"confirmed"}"#),
            ]
        );
        let trace = Some("0af7651916cd43dd8448eb211c80319c");
        assert_eq!(timeline[3].trace_id.as_deref(), trace, "the event's own trace");
    }
}

#[tokio::test]
async fn the_events_of_a_run_name_their_cause_and_their_run() {
    for db in databases().await {
        let mut world = World::new(db);
        world.db.insert([paying(1)]).await;
        let mut others = Others::about(1);
        let (reserved, captured) = (others.reserved(), others.captured());
        world.hear(&[&reserved, &captured]).await;
        let rows = world.db.outbox(&id(1)).await;
        let confirmed = oms_messaging::Event::parse(&rows[2].payload).unwrap();
        assert_eq!(confirmed.causationid, Some(captured.id));
        assert_eq!(confirmed.sagaid, world.db.order(&id(1)).await.saga_id());
        assert_eq!(
            (confirmed.sequence.as_str(), confirmed.source.as_str()),
            ("0000000003", "/oms/order")
        );
    }
}

#[tokio::test]
async fn a_rejected_or_declined_run_ends_canceled_and_settles() {
    for db in databases().await {
        let mut world = World::new(db);
        world.db.insert([paying(1), paying(2)]).await;
        let (mut none, mut no) = (Others::about(1), Others::about(2));
        let (rejected, reserved, declined) = (none.rejected(), no.reserved(), no.declined());
        world.hear(&[&rejected, &reserved, &declined]).await;
        for (n, code) in [(1, "inventory_unavailable"), (2, "payment_declined")] {
            let order = world.db.order(&id(n)).await;
            assert_eq!(order.status(), Status::Canceled);
            assert_eq!(order.status_reason().unwrap().code, code);
            assert!(order.is_waiting());
            assert!(are(&world.db.said(&id(n)).await, &["created", "submitted", "canceled"]));
        }
        let words = [none.released(), none.closed(0, 0), no.released(), no.closed(0, 0)];
        world.hear(&words.each_ref()).await;
        for n in [1, 2] {
            assert!(world.db.order(&id(n)).await.has_ended());
        }
    }
}

#[tokio::test]
async fn a_refund_ends_and_is_told_within_the_transaction_once() {
    for db in databases().await {
        let mut world = World::new(db);
        world.db.insert([Stage::Refunding.build(1)]).await;
        let mut others = Others::about(1);
        others.captured();
        let refund = Stage::refund_id().to_string();
        let refunded = others.refunded(&refund, 25_000, 25_000);
        world.hear(&[&refunded]).await;
        world.hear_all_again_with_an_empty_inbox().await;
        let order = world.db.order(&id(1)).await;
        assert_eq!((order.status(), order.run_kind()), (Status::Refunded, RunKind::Idle));
        let expected = ["created", "submitted", "confirmed", "refund_requested", "refunded"];
        assert!(are(&world.db.said(&id(1)).await, &expected));
        let told = world.followed.refunds.lock().unwrap().clone();
        assert_eq!(told.iter().map(|refund| refund.id.clone()).collect::<Vec<_>>(), [refund]);
    }
}

#[tokio::test]
async fn milestones_are_counted_once_however_often_events_come() {
    for db in databases().await {
        let mut world = World::new(db);
        world.db.insert([paying(1)]).await;
        let mut others = Others::about(1);
        let (reserved, captured) = (others.reserved(), others.captured());
        world.hear(&[&reserved, &captured, &captured, &reserved]).await;
        world.hear(&[&captured]).await;
        world.hear_all_again_with_an_empty_inbox().await;
        let milestones = world.followed.milestones.lock().unwrap().clone();
        assert!(
            matches!(
                &milestones[..],
                [(order, Milestone::RunEnded { outcome: RunOutcome::Completed, .. })]
                    if *order == id(1)
            ),
            "{milestones:?}"
        );
    }
}

#[tokio::test]
async fn what_was_rolled_back_is_never_counted() {
    for db in databases().await {
        db.insert([paying(1)]).await;
        let followed = Arc::new(Followed::default());
        let reactor = OrderReactor::new(followed.clone());
        let mut others = Others::about(1);
        let (captured, released) = (others.captured(), others.released());
        for (event, commits) in [(&captured, false), (&released, true)] {
            let mut tx = db.begin(&id(1)).await;
            let mut session = reactor.load(&mut tx, &[event]).await.unwrap();
            reactor.react(&mut session, event).unwrap();
            reactor.save(&mut tx, session).await.unwrap();
            if commits {
                tx.commit().await.unwrap();
            }
        }
        assert_eq!(db.order(&id(1)).await.status(), Status::Pending);
        let counted = followed.milestones.lock().unwrap().clone();
        assert!(counted.is_empty(), "{counted:?}");
    }
}

#[tokio::test]
async fn an_expired_reservation_of_a_confirmed_order_makes_it_repeat_everything() {
    for db in databases().await {
        let mut world = World::new(db);
        world.db.insert([confirmed(1)]).await;
        let before = world.db.order(&id(1)).await.state().clone();
        let rows = world.db.outbox(&id(1)).await;
        let mut others = Others::about(1);
        others.reserved();
        world.hear(&[&others.expired()]).await;
        assert_eq!(world.db.order(&id(1)).await.state(), &before);
        let again = world.db.outbox(&id(1)).await;
        assert_eq!(again.len(), rows.len());
        for (row, was) in again.iter().zip(rows) {
            assert_eq!(row.generation, was.generation + 1);
            assert!(!row.ask && row.published_at.is_none());
        }
    }
}

#[tokio::test]
async fn an_expired_reservation_ends_an_open_pay_run() {
    for db in databases().await {
        let mut world = World::new(db);
        world.db.insert([Stage::Reserved.build(1)]).await;
        let mut others = Others::about(1);
        others.reserved();
        world.hear(&[&others.expired()]).await;
        let order = world.db.order(&id(1)).await;
        assert_eq!(order.status(), Status::Canceled);
        assert_eq!(order.status_reason().unwrap().code, "reservation_expired");
    }
}

#[tokio::test]
async fn a_cancellation_during_the_run_gives_everything_back() {
    for db in databases().await {
        let mut world = World::new(db);
        world.db.insert([paying(1)]).await;
        let mut others = Others::about(1);
        world.hear(&[&others.reserved()]).await;
        world.db.change(&id(1), |order| order.cancel("", &call(9)).unwrap()).await.unwrap();
        let refund = format!("cancel:{}", id(1));
        let words = [
            others.captured(),
            others.released(),
            others.refunded(&refund, 25_000, 25_000),
            others.closed(25_000, 25_000),
        ];
        world.hear(&words.each_ref()).await;
        let order = world.db.order(&id(1)).await;
        assert!(order.has_ended());
        assert_eq!((order.status(), order.left()), (Status::Canceled, usd(0)));
        assert!(are(&world.db.said(&id(1)).await, &["created", "submitted", "canceled"]));
    }
}
