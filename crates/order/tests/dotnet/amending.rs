//! Changes of what was paid, as callers of `orders.Orders` meet them: the call waits for what
//! becomes of it.

use std::time::Duration;

use oms_order::OrderConfig;
use oms_proto::orders::{Order, OrderUpdate};
use oms_service::testing::Backend;
use tonic::Code;

use super::caller::{
    Client, better_phone, client, created, get, patient, paying, pods, quantity, remove, status,
    update, with,
};
use crate::served::{Paying, Served, each_backend, is_replay, keyed, within};

const LONG: Duration = Duration::from_secs(60);

/// A new order, paid.
async fn paid(client: &mut Client) -> Order {
    let order = created(client).await;
    let pay = within(LONG, status(&order.id, "Processing"));
    client.update_order_status(pay).await.unwrap();
    get(client, &order.id).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documents_changes_of_a_paid_order_come_to_its_totals() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, patient).await;
        let mut client = client(&served).await;
        let order = paid(&mut client).await;
        let (id, phone) = (order.id.clone(), order.items[0].id.clone());
        let case = order.items[1].id.clone();
        let answer = client.add_item_to_order(pods(&id)).await.unwrap().into_inner();
        assert_eq!(answer.order.unwrap().total_amount, 2_349.95);
        let answer = client.remove_item_from_order(remove(&id, &case)).await.unwrap();
        assert_eq!(answer.into_inner().order.unwrap().total_amount, 2_249.97);
        let three = quantity(&id, &phone, 3);
        let answer = client.update_order_item_quantity(three).await.unwrap().into_inner();
        let order = answer.order.unwrap();
        assert_eq!(order.total_amount, 3_249.96);
        let wanted = OrderUpdate { status: "Processing".to_owned(), ..better_phone(&order) };
        let order = client.update_order(with(wanted)).await.unwrap().into_inner().order.unwrap();
        assert_eq!((order.status.as_str(), order.total_amount), ("Processing", 1_199.99));
        assert_eq!(get(&mut client, &id).await, order);
        let seen = served.view(&id).await.order.unwrap();
        assert_eq!(seen.captured_minor - seen.refunded_minor, 119_999);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_is_refused_leaves_the_order_as_it_was_and_tells_why() {
    let served = Served::start_with(&Backend::Sqlite, patient).await;
    let mut client = client(&served).await;
    let before = paid(&mut client).await;
    for (how, message) in
        [(Paying::OutOfStock, "inventory unavailable"), (Paying::Decline, "payment declined")]
    {
        served.others.pay(how);
        let refused = client.add_item_to_order(pods(&before.id)).await.unwrap_err();
        assert_eq!((refused.code(), refused.message()), (Code::FailedPrecondition, message));
        let after = get(&mut client, &before.id).await;
        assert_eq!((&after.items, after.total_amount), (&before.items, before.total_amount));
        assert_eq!(after.status, "Processing");
        let seen = served.view(&before.id).await.order.unwrap();
        assert_eq!((seen.captured_minor, seen.refunded_minor), (209_996, 0));
    }
    served.others.pay(Paying::Approve);
    let other = OrderUpdate {
        customer_id: "123e4567-e89b-12d3-a456-426614174999".to_owned(),
        ..update(&before)
    };
    let refused = client.update_order(with(other)).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_a_change_remembers_how_it_ended() {
    let short = |config: &mut OrderConfig| config.order.call_wait_ms = 200;
    let served = Served::start_with(&Backend::Sqlite, short).await;
    let mut client = client(&served).await;
    for (how, refusal) in [(Paying::Approve, None), (Paying::Decline, Some("payment declined"))] {
        served.others.pay(Paying::Approve);
        let order = paid(&mut client).await;
        let add = || keyed(&format!("add {}", order.id), pods(&order.id));
        served.others.pay(Paying::Wait);
        let late = client.add_item_to_order(add()).await.unwrap_err();
        assert_eq!(late.code(), Code::DeadlineExceeded, "{late}");
        assert!(late.message().contains("the same idempotency-key"), "{late}");
        served.others.pay(how);
        for _ in 0..2 {
            match (client.add_item_to_order(within(LONG, add())).await, refusal) {
                (Ok(answer), None) => {
                    assert!(is_replay(answer.metadata()));
                    assert_eq!(answer.into_inner().order.unwrap().total_amount, 2_349.95);
                }
                (Err(status), Some(message)) => {
                    assert!(is_replay(status.metadata()));
                    assert_eq!(status.message(), message);
                    assert_eq!(status.code(), Code::FailedPrecondition);
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_of_a_paid_order_with_its_status_is_remembered_as_a_whole() {
    let served = Served::start_with(&Backend::Sqlite, patient).await;
    let mut client = client(&served).await;
    let order = paid(&mut client).await;
    let wanted = OrderUpdate { status: "Processing".to_owned(), ..better_phone(&order) };
    let update = || within(LONG, keyed("k", with(wanted.clone())));
    let first = client.update_order(update()).await.unwrap();
    assert!(!is_replay(first.metadata()));
    let again = client.update_order(update()).await.unwrap();
    assert!(is_replay(again.metadata()));
    assert_eq!(again.into_inner(), first.into_inner());
    let amended = |event: &str| event == "OrderAmended";
    let timeline = served.view(&order.id).await.timeline;
    assert_eq!(timeline.iter().filter(|entry| amended(&entry.event_type)).count(), 1);

    served.others.pay(Paying::Decline);
    let order = get(&mut client, &order.id).await;
    let mut dear = super::caller::update(&order);
    "Processing".clone_into(&mut dear.status);
    dear.items[0].quantity = 2;
    let dear = || within(LONG, paying("pm_card_declined", keyed("dear", with(dear.clone()))));
    for replay in [false, true] {
        let refused = client.update_order(dear()).await.unwrap_err();
        assert_eq!(refused.message(), "payment declined");
        assert_eq!(is_replay(refused.metadata()), replay);
    }
}
