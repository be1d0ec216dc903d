//! UpdateOrder's two halves under one key: whatever becomes of the second, the key stands for this
//! request, and a repeated call is told how it ended.

use oms_proto::orders::{Order, OrderUpdate, UpdateOrderRequest};
use oms_service::testing::Backend;
use tokio::task::JoinSet;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::caller::{
    Client, better_phone, client, created, get, patient, pods, status, update, with,
};
use crate::served::{Paying, Served, each_backend, is_replay, keyed};

/// The document's better phone, and paid.
fn better_and_paid(order: &Order) -> UpdateOrderRequest {
    with(OrderUpdate { status: "Processing".to_owned(), ..better_phone(order) })
}

/// The key is of another request.
fn conflicts<T>(answer: Result<T, Status>) {
    let Err(status) = answer else { panic!("the key was free") };
    let reason = status.get_details_error_info().map(|info| info.reason);
    assert_eq!(status.code(), Code::InvalidArgument, "{status}");
    assert_eq!(reason.as_deref(), Some("IDEMPOTENCY_KEY_REUSED"), "{status}");
}

/// Nothing else can be done with the key.
async fn is_taken(client: &mut Client, order: &Order) {
    conflicts(client.add_item_to_order(keyed("k", pods(&order.id))).await);
    conflicts(client.update_order_status(keyed("k", status(&order.id, "Cancelled"))).await);
    conflicts(client.update_order(keyed("k", with(update(order)))).await);
    let other = OrderUpdate { status: "Cancelled".to_owned(), ..update(order) };
    conflicts(client.update_order(keyed("k", with(other))).await);
}

/// Sends a call whose process dies once its first half is there; what comes up after it.
async fn cut_off(
    served: Served,
    client: &Client,
    key: &'static str,
    request: UpdateOrderRequest,
) -> Served {
    served.crash.arm("command.after_commit");
    let mut calls = JoinSet::new();
    let mut client = client.clone();
    calls.spawn(async move { client.update_order(keyed(key, request)).await });
    served.crash.happened().await;
    served.restart().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_whose_payment_is_declined_keeps_its_edit_and_its_key() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, patient).await;
        let mut client = client(&served).await;
        for edits in [true, false] {
            let order = created(&mut client).await;
            served.others.pay(Paying::Decline);
            let on = OrderUpdate { status: "Processing".to_owned(), ..update(&order) };
            let request = if edits { better_and_paid(&order) } else { with(on) };
            let key = format!("key of {}", order.id);
            for replay in [false, true] {
                let again = keyed(&key, request.clone());
                let told = client.update_order(again).await.unwrap_err();
                let said = (told.code(), told.message());
                assert_eq!(said, (Code::FailedPrecondition, "payment declined"));
                assert_eq!(is_replay(told.metadata()), replay);
            }
            let now = get(&mut client, &order.id).await;
            let total = if edits { 1_199.99 } else { 2_099.96 };
            assert_eq!((now.status.as_str(), now.total_amount), ("Cancelled", total));
            conflicts(client.add_item_to_order(keyed(&key, pods(&order.id))).await);
            conflicts(client.update_order(keyed(&key, with(update(&now)))).await);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn between_the_halves_of_an_update_its_key_is_taken() {
    let served = Served::start_with(&Backend::Sqlite, patient).await;
    let mut caller = client(&served).await;
    let order = created(&mut caller).await;
    let request = better_and_paid(&order);
    let served = cut_off(served, &caller, "k", request.clone()).await;
    let mut caller = client(&served).await;
    is_taken(&mut caller, &order).await;
    let half = get(&mut caller, &order.id).await;
    assert_eq!((half.status.as_str(), half.total_amount), ("Pending", 1_199.99));
    // And free for the request itself.
    let whole = caller.update_order(keyed("k", request)).await.unwrap().into_inner().order;
    assert_eq!(whole.unwrap().status, "Processing");
    is_taken(&mut caller, &order).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_only_moved_and_was_cut_off_is_answered_by_its_key() {
    let mut served = Served::start_with(&Backend::Sqlite, patient).await;
    let mut caller = client(&served).await;
    let order = created(&mut caller).await;
    for (key, to) in [("pays", "Processing"), ("ships", "Shipped")] {
        let now = get(&mut caller, &order.id).await;
        // Its own move is no change by others that it has to fear.
        let updated_at = Some(now.updated_at);
        let request = with(OrderUpdate { status: to.to_owned(), updated_at, ..update(&now) });
        served = cut_off(served, &caller, key, request.clone()).await;
        caller = client(&served).await;
        let answer = caller.update_order(keyed(key, request.clone())).await.unwrap();
        assert_eq!(answer.get_ref().order.as_ref().unwrap().status, to);
        served.until_rest(&order.id).await;
        let again = caller.update_order(keyed(key, request)).await.unwrap();
        assert!(is_replay(again.metadata()), "{to}");
        assert_eq!(again.into_inner(), answer.into_inner());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_to_what_a_shipped_order_is_already_succeeds() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, patient).await;
        let mut client = client(&served).await;
        let order = created(&mut client).await;
        for to in ["Processing", "Shipped", "Completed"] {
            client.update_order_status(status(&order.id, to)).await.unwrap();
            served.until_rest(&order.id).await;
            let now = get(&mut client, &order.id).await;
            let before = served.rows().await;
            let same = with(OrderUpdate { status: to.to_owned(), ..update(&now) });
            let answer = client.update_order(same).await.unwrap().into_inner();
            assert_eq!(answer.order.unwrap(), now, "{to}");
            assert_eq!(served.rows().await, before, "{to}");
        }
        let now = get(&mut client, &order.id).await;
        let changed = OrderUpdate { status: now.status.clone(), ..better_phone(&now) };
        let refused = client.update_order(with(changed)).await.unwrap_err();
        assert_eq!(refused.message(), "order cannot be changed in status Completed");
    }
}
