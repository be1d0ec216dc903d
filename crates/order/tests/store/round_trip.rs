//! What is saved is what is loaded.

use oms_messaging::{Standing, tables::streams};
use oms_order::store::{
    Session,
    entities::{lines, orders, refunds, timeline},
};
use sea_orm::EntityTrait;

use crate::support::{Db, Stage, call, cause, databases, new_order, order, totals, usd};

fn stages() -> impl Iterator<Item = (u128, Stage)> {
    (1..).zip(Stage::ALL)
}

fn id(n: u128) -> String {
    uuid::Uuid::from_u128(n).to_string()
}

#[tokio::test]
async fn an_order_in_any_stage_is_loaded_as_it_was_saved() {
    for db in databases().await {
        for (n, stage) in stages() {
            let shares = Stage::SHARING.contains(&stage);
            let built = if shares { Stage::Canceled.build(n) } else { stage.build(n) };
            let expected = built.state().clone();
            db.insert([built]).await;
            assert_eq!(db.order(&id(n)).await.state(), &expected, "{stage:?}");
        }
    }
}

#[tokio::test]
async fn a_change_is_saved_and_only_once() {
    for db in databases().await {
        db.insert([Stage::Refunding.build(1)]).await;
        let refund = Stage::refund_id().to_string();
        let (_, changed) = db
            .change(&id(1), |order| {
                let given = totals(2, 25_000, 25_000);
                order.note_refunded(&refund, usd(25_000), given, &cause(30)).unwrap()
            })
            .await
            .unwrap();
        assert_eq!(changed.len(), 1);
        assert_eq!(changed[0].ended_refunds, [refund]);
        let loaded = db.order(&id(1)).await;
        assert_eq!(loaded.state(), changed[0].order.state());
        let (_, unchanged) = db.change(&id(1), |_| ()).await.unwrap();
        assert!(unchanged.is_empty());
    }
}

#[tokio::test]
async fn the_timeline_is_gapless_in_the_database() {
    for db in databases().await {
        db.insert([order(1)]).await;
        for second in 1..4 {
            db.change(&id(1), |order| match second {
                1 => drop(order.pay("pm", Stage::refund_id(), call(900).at, &call(1))),
                2 => drop(order.note_reserved(1, &cause(2))),
                _ => drop(order.note_captured(1, usd(25_000), totals(1, 25_000, 0), &cause(3))),
            })
            .await
            .unwrap();
        }
        let entries = db.timeline(&id(1)).await;
        let versions: Vec<i32> = entries.iter().map(|entry| entry.version).collect();
        assert_eq!(versions, [1, 2, 3, 4]);
        assert_eq!(entries[3].payload, r#"{"status":"confirmed"}"#);
        assert_eq!(entries[3].event_id, cause(3).event_id.map(|id| id.to_string()));
        let expected = ["created", "submitted", "confirmed"].map(|e| format!("oms.order.{e}.v1"));
        assert_eq!(db.said(&id(1)).await, expected);
    }
}

#[tokio::test]
async fn a_hundred_orders_are_saved_and_loaded_together() {
    for db in databases().await {
        db.insert((1..=120).map(order)).await;
        let ids: Vec<String> = (1..=120).map(id).collect();
        let mut tx = db.messaging.begin().await.unwrap();
        tx.lock(ids.clone()).await.unwrap();
        let mut session = Session::load(&tx, &ids).await.unwrap();
        for order in session.orders_mut() {
            order.cancel("", &call(5)).unwrap();
        }
        assert_eq!(session.save(&mut tx).await.unwrap().len(), 120);
        tx.commit().await.unwrap();
        let expected = (db.count::<orders::Entity>().await, db.count::<lines::Entity>().await);
        assert_eq!(expected, (120, 240));
        assert_eq!(db.count::<timeline::Entity>().await, 240);
        assert_eq!(db.said(&id(77)).await, ["oms.order.created.v1", "oms.order.canceled.v1"]);
    }
}

#[tokio::test]
async fn a_rollback_leaves_nothing() {
    for db in databases().await {
        db.insert([order(1)]).await;
        let before = db.order(&id(1)).await.state().clone();
        let mut tx = db.begin(&id(1)).await;
        let mut session = Session::load(&tx, &[id(1)]).await.unwrap();
        session.order_mut(&id(1)).unwrap().cancel("", &call(5)).unwrap();
        let mut other = new_order(2);
        other.id = uuid::Uuid::from_u128(2);
        tx.lock([id(2)]).await.unwrap();
        session.insert(order(2));
        session.save(&mut tx).await.unwrap();
        drop(tx);
        assert_eq!(db.order(&id(1)).await.state(), &before);
        assert_eq!(db.count::<orders::Entity>().await, 1);
        assert_eq!(db.count::<timeline::Entity>().await, 1);
        assert_eq!(db.count::<refunds::Entity>().await, 0);
        assert_eq!(db.said(&id(1)).await, ["oms.order.created.v1"]);
    }
}

#[tokio::test]
async fn that_a_shipment_is_booked_out_is_saved_and_its_stream_rests_or_ends() {
    for db in databases().await {
        let stages =
            [(1, Stage::Shipped, Standing::Resting), (2, Stage::Completed, Standing::Ended)];
        for (n, stage, then) in stages {
            db.insert([stage.build(n)]).await;
            let (_, changed) =
                db.change(&id(n), |order| order.note_dispatched(&cause(30))).await.unwrap();
            assert_eq!(changed.len(), 1);
            let loaded = db.order(&id(n)).await;
            assert!(loaded.state().dispatched && !loaded.is_waiting());
            assert_eq!(loaded.state(), changed[0].order.state());
            assert_eq!(standing(&db, &id(n)).await, then, "{stage:?}");
            let said = db.said(&id(n)).await;
            assert_eq!(said[3], "oms.order.shipped.v1");
            assert_eq!(said.get(4).is_some(), stage == Stage::Completed);
        }
    }
}

#[tokio::test]
async fn the_stream_stands_where_the_order_does() {
    for db in databases().await {
        for (n, stage) in stages() {
            if Stage::SHARING.contains(&stage) {
                continue;
            }
            db.insert([stage.build(n)]).await;
            let standing = standing(&db, &id(n)).await;
            let expected = match stage {
                Stage::Pending | Stage::Confirmed => Standing::Resting,
                Stage::CanceledPending => Standing::Ended,
                _ => Standing::Waiting,
            };
            assert_eq!(standing, expected, "{stage:?}");
        }
    }
}

async fn standing(db: &Db, id: &str) -> Standing {
    let row = streams::Entity::find_by_id(id).one(db.conn()).await.unwrap().unwrap();
    match (row.ask_at, row.ended_at) {
        (Some(_), None) => Standing::Waiting,
        (None, None) => Standing::Resting,
        (None, Some(_)) => Standing::Ended,
        both => panic!("{both:?}"),
    }
}
