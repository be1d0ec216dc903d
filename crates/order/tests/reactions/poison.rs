//! What no interleaving can produce is dead-lettered, and nothing else is.

use oms_events::inventory::Reserved;
use oms_messaging::tables::parked;
use oms_order::domain::Status;
use sea_orm::EntityTrait;

use super::world::{Others, World, id, type_of};
use crate::support::{Speaker, at, databases, order, paying};

async fn parked(world: &World) -> Vec<(String, String)> {
    let rows = parked::Entity::find().all(world.db.conn()).await.unwrap();
    rows.into_iter().map(|row| (row.reason, row.message)).collect()
}

#[tokio::test]
async fn a_fact_about_an_unknown_order_is_parked_and_others_go_on() {
    for db in databases().await {
        let mut world = World::new(db);
        world.db.insert([paying(1)]).await;
        let (mut unknown, mut known) = (Others::about(2), Others::about(1));
        let events = [unknown.reserved(), known.reserved(), known.captured()];
        let step = world.hear(&events.each_ref()).await;
        assert_eq!(step.dead_letters, 1);
        assert_eq!(world.db.order(&id(1)).await.status(), Status::Confirmed);
        let parked = parked(&world).await;
        assert_eq!(parked.len(), 1);
        assert_eq!(parked[0].0, "unknown_order");
        let milestones = world.followed.milestones.lock().unwrap().len();
        assert_eq!(milestones, 1, "counted once though the batch was rolled back first");
    }
}

#[tokio::test]
async fn a_fact_no_interleaving_can_produce_is_refused_loudly() {
    for db in databases().await {
        let mut world = World::new(db);
        world.db.insert([order(1), paying(2), paying(3)]).await;
        let never_submitted = Others::about(1).reserved();
        let ahead = Speaker::inventory(&id(2)).say(&Reserved { revision: 2, until: at(9) });
        let stray = Others::about(3).refunded(&id(77), 100, 100);
        let step = world.hear(&[&never_submitted, &ahead, &stray]).await;
        assert_eq!(step.dead_letters, 3);
        let parked = parked(&world).await;
        assert!(parked.iter().all(|(reason, _)| reason == "refused_transition"), "{parked:?}");
        for code in ["revision_ahead", "unknown_refund"] {
            assert!(parked.iter().any(|(_, message)| message.contains(code)), "{parked:?}");
        }
        for n in [1, 2, 3] {
            assert_eq!(world.db.order(&id(n)).await.status(), Status::Pending);
        }
    }
}

#[tokio::test]
async fn totals_no_payment_can_have_never_enter_the_ledger() {
    for db in databases().await {
        let mut world = World::new(db);
        world.db.insert([paying(1)]).await;
        let mut events = Vec::new();
        for (captured, refunded) in [(-5, 10), (5, 10), (10, -1), (i64::MIN, 0)] {
            let mut event = Others::about(1).captured();
            let mut data: serde_json::Value = event.data().unwrap();
            data["totals"]["captured_minor"] = captured.into();
            data["totals"]["refunded_minor"] = refunded.into();
            event.data = serde_json::value::to_raw_value(&data).unwrap();
            events.push(event);
        }
        world.hear(&[&events[0]]).await;
        for event in &events[1..] {
            world.hear(&[event]).await;
        }
        let parked = parked(&world).await;
        assert_eq!(parked[0].0, "refused_transition");
        assert!(parked[0].1.contains("captured -5, refunded 10"), "{parked:?}");
        let order = world.db.order(&id(1)).await;
        assert_eq!((order.status(), order.ledger().captured.minor()), (Status::Pending, 0));
    }
}

#[tokio::test]
async fn data_that_does_not_fit_is_poison() {
    for db in databases().await {
        let mut world = World::new(db);
        world.db.insert([paying(1)]).await;
        let mut event = Others::about(1).reserved();
        event.data =
            serde_json::value::to_raw_value(&serde_json::json!({"revision": "1"})).unwrap();
        assert_eq!(event.event_type, type_of(&Reserved { revision: 1, until: at(9) }));
        world.hear(&[&event]).await;
        assert_eq!(parked(&world).await[0].0, "malformed_data");
        assert_eq!(world.db.order(&id(1)).await.status(), Status::Pending);
    }
}
