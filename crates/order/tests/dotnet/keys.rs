//! Idempotency keys of `orders.Orders`: one effect, one answer (I7), also of a run that ends later.

use std::time::Duration;

use oms_order::OrderConfig;
use oms_proto::{oms_v1::OrderStatus, orders::OrderUpdate};
use oms_service::testing::Backend;
use tonic::{Code, Request, Status};

use super::caller::{
    Client, better_phone, client, created, get, patient, paying, pods, quantity, remove, status,
    update, with,
};
use crate::served::{Paying, Served, each_backend, is_replay, keyed, within};

/// The caller's time where the outcome is wanted.
const LONG: Duration = Duration::from_secs(60);

/// Who names no time is told before the outcome is known.
fn short(config: &mut OrderConfig) {
    config.order.call_wait_ms = 200;
}

async fn moved(
    client: &mut Client,
    request: Request<oms_proto::orders::UpdateOrderStatusRequest>,
) -> Result<bool, Status> {
    let answer = client.update_order_status(request).await?;
    Ok(is_replay(answer.metadata()))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_has_its_effect_once_and_its_answer_again() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, patient).await;
        let mut client = client(&served).await;
        let order = created(&mut client).await;
        let (id, first, second) =
            (order.id.clone(), order.items[0].id.clone(), order.items[1].id.clone());
        macro_rules! twice {
            ($call:ident, $key:expr, $request:expr) => {{
                let answer = client.$call(keyed($key, $request)).await.unwrap();
                assert!(!is_replay(answer.metadata()));
                served.until_rest(&id).await;
                let before = served.rows().await;
                let again = client.$call(keyed($key, $request)).await.unwrap();
                assert!(is_replay(again.metadata()), $key);
                assert_eq!(again.into_inner(), answer.into_inner());
                assert_eq!(served.rows().await, before);
            }};
        }
        twice!(add_item_to_order, "add", pods(&id));
        twice!(remove_item_from_order, "remove", remove(&id, &second));
        twice!(update_order_item_quantity, "quantity", quantity(&id, &first, 3));
        let now = get(&mut client, &id).await;
        twice!(update_order, "update", with(better_phone(&now)));
        let now = get(&mut client, &id).await;
        let pay = OrderUpdate { status: "Processing".to_owned(), ..update(&now) };
        twice!(update_order, "pay", with(pay.clone()));
        twice!(update_order_status, "ship", status(&id, "Shipped"));
        twice!(update_order_status, "complete", status(&id, "Completed"));
        // What was answered then is answered still, whatever the order has become.
        let again = client.update_order(keyed("pay", with(pay))).await.unwrap();
        assert_eq!(again.into_inner().order.unwrap().status, "Processing");
        let other = keyed("ship", status(&id, "Completed"));
        let refused = client.update_order_status(other).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_a_payment_remembers_how_it_ended() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, short).await;
        let mut client = client(&served).await;
        let pay = |order: &str| keyed(&format!("pay {order}"), status(order, "Processing"));
        for (how, code) in [(Paying::Approve, None), (Paying::Decline, Some("payment declined"))] {
            // Known in time.
            served.others.pay(how);
            let order = created(&mut client).await.id;
            for replay in [false, true] {
                match (moved(&mut client, within(LONG, pay(&order))).await, code) {
                    (Ok(replayed), None) => assert_eq!(replayed, replay),
                    (Err(status), Some(message)) => assert_eq!(status.message(), message),
                    other => panic!("{other:?}"),
                }
            }
            // Not known in time: the key asks again, and is told.
            served.others.pay(Paying::Wait);
            let order = created(&mut client).await.id;
            assert!(!moved(&mut client, pay(&order)).await.unwrap());
            served.others.pay(how);
            let told = moved(&mut client, within(LONG, pay(&order))).await;
            match (told, code) {
                (Ok(replayed), None) => assert!(replayed),
                (Err(status), Some(message)) => {
                    assert_eq!(
                        (status.code(), status.message()),
                        (Code::FailedPrecondition, message)
                    );
                    assert!(is_replay(status.metadata()));
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_a_payment_is_told_of_a_cancellation_and_of_the_deadline() {
    let sweeping = |config: &mut OrderConfig| {
        short(config);
        config.order.deadline_sweep_ms = 20;
    };
    let served = Served::start_with(&Backend::Sqlite, sweeping).await;
    let mut client = client(&served).await;
    served.others.pay(Paying::Wait);
    for ends in ["cancel", "deadline"] {
        let order = created(&mut client).await.id;
        let pay = || keyed(&format!("{ends} {order}"), status(&order, "Processing"));
        moved(&mut client, pay()).await.unwrap();
        match ends {
            "cancel" => drop(moved(&mut client, Request::new(status(&order, "Cancelled"))).await),
            _ => served.clock.forward(3_600),
        }
        served.reaches(&order, OrderStatus::Canceled).await;
        let told = moved(&mut client, within(LONG, pay())).await.unwrap_err();
        assert!(is_replay(told.metadata()), "{ends}");
        assert_eq!(
            told.message(),
            "order status cannot change from Cancelled to Processing; allowed: none"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_was_cut_off_between_its_halves_goes_on() {
    let served = Served::start_with(&Backend::Sqlite, patient).await;
    let mut client = client(&served).await;
    let order = created(&mut client).await;
    let wanted = OrderUpdate { status: "Processing".to_owned(), ..better_phone(&order) };
    served.crash.arm("command.after_commit");
    let mut calls = tokio::task::JoinSet::new();
    let (mut cut_off, request) = (client.clone(), keyed("k", with(wanted.clone())));
    calls.spawn(async move { cut_off.update_order(request).await });
    served.crash.happened().await;
    let served = served.restart().await;
    let mut client = super::caller::client(&served).await;
    let half = get(&mut client, &order.id).await;
    assert_eq!((half.status.as_str(), half.total_amount), ("Pending", 1_199.99));
    let answer = client.update_order(keyed("k", with(wanted.clone()))).await.unwrap().into_inner();
    let whole = answer.order.clone().unwrap();
    assert_eq!((whole.status.as_str(), whole.total_amount), ("Processing", 1_199.99));
    let again = client.update_order(keyed("k", with(wanted))).await.unwrap();
    assert!(is_replay(again.metadata()));
    assert_eq!(again.into_inner(), answer);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_stands_for_the_payment_method_too() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, patient).await;
        let mut client = client(&served).await;
        let order = created(&mut client).await;
        let (id, first, second) =
            (order.id.clone(), order.items[0].id.clone(), order.items[1].id.clone());
        macro_rules! stands_for_both {
            ($call:ident, $key:literal, $request:expr) => {{
                let slow = || paying("pm_card_slow", keyed($key, $request));
                client.$call(slow()).await.unwrap();
                served.until_rest(&id).await;
                let other = paying("pm_card_visa", keyed($key, $request));
                for conflict in [other, keyed($key, $request)] {
                    let refused = client.$call(conflict).await.unwrap_err();
                    assert_eq!(refused.code(), Code::InvalidArgument, "{} {refused}", $key);
                }
                assert!(is_replay(client.$call(slow()).await.unwrap().metadata()), $key);
            }};
        }
        stands_for_both!(update_order_status, "pay", status(&id, "Processing"));
        stands_for_both!(add_item_to_order, "add", pods(&id));
        stands_for_both!(update_order_item_quantity, "quantity", quantity(&id, &first, 3));
        stands_for_both!(remove_item_from_order, "remove", remove(&id, &second));
        let now = get(&mut client, &id).await;
        stands_for_both!(update_order, "update", with(better_phone(&now)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_answered_before_its_request_is_compared_with_an_order_that_moved_on() {
    let served = Served::start_with(&Backend::Sqlite, patient).await;
    let mut client = client(&served).await;
    // By `oms.v1`: its product is no GUID, and may come back only while it is on the order.
    let id = served.created(10_000).await;
    let order = get(&mut client, &id).await;
    let mut two = update(&order);
    two.items[0].quantity = 2;
    let first = client.update_order(keyed("two", with(two.clone()))).await.unwrap().into_inner();
    let added = keyed("pods", pods(&id));
    let order = client.add_item_to_order(added).await.unwrap().into_inner().order.unwrap();
    let only = OrderUpdate { items: vec![order.items[1].clone()], ..update(&order) };
    let mut yen = only.clone();
    "JPY".clone_into(&mut yen.currency);
    "JPY".clone_into(&mut yen.items[0].currency);
    yen.items[0].unit_price = 100.0;
    client.update_order(with(yen)).await.unwrap();
    let again = client.update_order(keyed("two", with(two.clone()))).await.unwrap();
    assert!(is_replay(again.metadata()));
    assert_eq!(again.into_inner(), first);
    let again = client.add_item_to_order(keyed("pods", pods(&id))).await.unwrap();
    assert!(is_replay(again.metadata()));
    assert!(client.update_order(with(two)).await.is_err(), "without its key it is another call");
}
