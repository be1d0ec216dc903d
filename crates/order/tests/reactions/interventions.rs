//! What operators did about dead letters stands on the timeline, once (saga rule 4).

use oms_events::{inventory, payment};
use oms_messaging::Event;
use oms_order::domain::Status;
use sea_orm::{ConnectionTrait, Statement};

use super::world::{Others, World, id};
use crate::support::{databases, paying};

fn by_inventory(others: &mut Others, action: &str) -> Event {
    others.inventory.say(&inventory::Intervened {
        event_id: id(7),
        event_type: "oms.order.submitted.v1".into(),
        action: action.into(),
        note: "mended".into(),
    })
}

async fn told(world: &World) -> Vec<String> {
    let database = world.db.conn();
    let read = Statement::from_string(
        database.get_database_backend(),
        "SELECT event_type FROM timeline WHERE event_type LIKE 'Event%' ORDER BY version",
    );
    let rows = database.query_all_raw(read).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

#[tokio::test]
async fn an_intervention_is_noted_once_and_changes_nothing_else() {
    for db in databases().await {
        let mut world = World::new(db);
        world.db.insert([paying(1)]).await;
        let mut others = Others::about(1);
        let redriven = by_inventory(&mut others, "redriven");
        let discarded = others.payment.say(&payment::Intervened {
            event_id: id(8),
            event_type: "oms.order.confirmed.v1".into(),
            action: "discarded".into(),
            note: String::new(),
        });
        let reserved = others.reserved();
        let step = world.hear(&[&redriven, &reserved, &discarded, &redriven]).await;
        assert_eq!((step.moved, step.duplicates, step.dead_letters), (3, 1, 0));
        assert_eq!(world.db.order(&id(1)).await.status(), Status::Reserved);
        let expected = ["EventRedriven", "EventDiscarded"];
        assert_eq!(told(&world).await, expected);
        world.hear_all_again_with_an_empty_inbox().await;
        assert_eq!(told(&world).await, expected, "the timeline itself knows");
        assert_eq!(world.db.order(&id(1)).await.status(), Status::Reserved);
    }
}

#[tokio::test]
async fn an_intervention_about_an_order_nobody_knows_is_no_poison() {
    for db in databases().await {
        let mut world = World::new(db);
        let step = world.hear(&[&by_inventory(&mut Others::about(2), "discarded")]).await;
        assert_eq!((step.already, step.dead_letters), (1, 0));
        assert!(told(&world).await.is_empty());
    }
}
