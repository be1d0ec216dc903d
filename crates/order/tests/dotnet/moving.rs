//! UpdateOrderStatus drives the lifecycle that `oms.v1` knows.

use std::time::Duration;

use oms_order::OrderConfig;
use oms_proto::{
    oms_v1::OrderStatus,
    orders::{OrderUpdate, UpdateOrderStatusResponse},
};
use oms_service::testing::Backend;
use tonic::{Code, Status};

use super::caller::{
    Client, better_phone, client, created, get, patient, paying, status, update, with,
};
use crate::served::{Paying, Refunding, Served, refund, within};

/// What its caller is told.
async fn moved(client: &mut Client, order: &str, to: &str) -> Result<(), Status> {
    let answer = client.update_order_status(status(order, to)).await?;
    assert_eq!(answer.into_inner(), UpdateOrderStatusResponse { success: true });
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_goes_its_good_way_and_the_same_status_again_is_no_error() {
    let served = Served::start_with(&Backend::Sqlite, patient).await;
    let mut client = client(&served).await;
    let order = created(&mut client).await.id;
    for (to, shown) in [
        ("Pending", OrderStatus::Pending),
        ("Processing", OrderStatus::Confirmed),
        ("Shipped", OrderStatus::Shipped),
        ("Completed", OrderStatus::Completed),
    ] {
        for _ in 0..2 {
            moved(&mut client, &order, to).await.unwrap();
            assert_eq!(get(&mut client, &order).await.status, to);
            assert_eq!(served.view(&order).await.order.unwrap().status(), shown, "{to}");
        }
    }
    let refused = moved(&mut client, &order, "Cancelled").await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    let message = "order status cannot change from Completed to Cancelled; allowed: none";
    assert_eq!(refused.message(), message);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_allowed_names_both_statuses_and_what_is() {
    let served = Served::start_with(&Backend::Sqlite, patient).await;
    let mut client = client(&served).await;
    let order = created(&mut client).await.id;
    for (at, to, allowed) in [
        ("Pending", "Shipped", "Processing, Cancelled"),
        ("Pending", "Completed", "Processing, Cancelled"),
        ("Processing", "Completed", "Shipped, Cancelled"),
        ("Processing", "Pending", "Shipped, Cancelled"),
        ("Shipped", "Processing", "Completed"),
        ("Shipped", "Cancelled", "Completed"),
        ("Completed", "Shipped", "none"),
    ] {
        moved(&mut client, &order, at).await.unwrap();
        served.until_rest(&order).await;
        let before = served.rows().await;
        let refused = moved(&mut client, &order, to).await.unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition);
        let message = format!("order status cannot change from {at} to {to}; allowed: {allowed}");
        assert_eq!(refused.message(), message);
        assert_eq!(served.rows().await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_fails_is_told_and_the_order_is_cancelled() {
    let served = Served::start_with(&Backend::Sqlite, patient).await;
    let mut client = client(&served).await;
    for (how, message, reason) in [
        (Paying::OutOfStock, "inventory unavailable", "INVENTORY_UNAVAILABLE"),
        (Paying::Decline, "payment declined", "PAYMENT_DECLINED"),
    ] {
        served.others.pay(how);
        let order = created(&mut client).await.id;
        // Whether it is asked again or not: the first answer stands.
        for _ in 0..2 {
            let refused = moved(&mut client, &order, "Processing").await.unwrap_err();
            assert_eq!((refused.code(), refused.message()), (Code::FailedPrecondition, message));
            let details = tonic_types::StatusExt::get_error_details(&refused);
            assert_eq!(details.error_info().unwrap().reason, reason);
        }
        assert_eq!(get(&mut client, &order).await.status, "Cancelled");
        moved(&mut client, &order, "Cancelled").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_not_known_in_time_goes_on_and_can_be_cancelled() {
    let short = |config: &mut OrderConfig| config.order.call_wait_ms = 200;
    let served = Served::start_with(&Backend::Sqlite, short).await;
    let mut client = client(&served).await;
    served.others.pay(Paying::Wait);
    let order = created(&mut client).await.id;
    moved(&mut client, &order, "Processing").await.unwrap();
    assert_eq!(get(&mut client, &order).await.status, "Processing");
    assert_eq!(served.view(&order).await.order.unwrap().status(), OrderStatus::Pending);
    moved(&mut client, &order, "Processing").await.unwrap();
    let refused = moved(&mut client, &order, "Shipped").await.unwrap_err();
    let message = "order status cannot change from Processing to Shipped; allowed: Cancelled";
    assert_eq!(refused.message(), message);
    // Who waits is told that it was cancelled.
    let other = created(&mut client).await.id;
    let mut waiting = client.clone();
    let (id, pay) = (other.clone(), status(&other, "Processing"));
    let mut calls = tokio::task::JoinSet::new();
    calls.spawn(
        async move { waiting.update_order_status(within(Duration::from_secs(60), pay)).await },
    );
    while get(&mut client, &id).await.status != "Processing" {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    moved(&mut client, &id, "Cancelled").await.unwrap();
    let refused = calls.join_next().await.unwrap().unwrap().unwrap_err();
    assert_eq!(
        refused.message(),
        "order status cannot change from Cancelled to Processing; allowed: none"
    );
    served.others.pay(Paying::Approve);
    served.reaches(&order, OrderStatus::Confirmed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_whose_money_all_went_back_is_cancelled_in_these_words() {
    let served = Served::start_with(&Backend::Sqlite, patient).await;
    let mut client = client(&served).await;
    let order = created(&mut client).await.id;
    moved(&mut client, &order, "Processing").await.unwrap();
    served.others.refund(Refunding::Approve);
    served.client.clone().refund_order(refund(&order, Some(1))).await.unwrap();
    assert_eq!(get(&mut client, &order).await.status, "Processing", "in part is not all");
    served.client.clone().refund_order(refund(&order, None)).await.unwrap();
    assert_eq!(get(&mut client, &order).await.status, "Cancelled");
    moved(&mut client, &order, "Cancelled").await.unwrap();
    let refused = moved(&mut client, &order, "Shipped").await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_method_of_the_metadata_pays() {
    let served = Served::start_with(&Backend::Sqlite, patient).await;
    let mut client = client(&served).await;
    for (method, paid_by) in [(None, "pm_card_visa"), (Some("pm_card_slow"), "pm_card_slow")] {
        let order = created(&mut client).await.id;
        let request = tonic::Request::new(status(&order, "Processing"));
        let request = method.map_or_else(
            || tonic::Request::new(status(&order, "Processing")),
            |method| paying(method, request),
        );
        client.update_order_status(request).await.unwrap();
        let found = oms_order::queries::Queries::new(served.running.database.read.clone());
        let found = found.order(&order).await.unwrap().unwrap();
        assert_eq!(found.payment_method(), paid_by);
    }
    let order = created(&mut client).await.id;
    let request = paying("pm_gold", tonic::Request::new(status(&order, "Processing")));
    let refused = client.update_order_status(request).await.unwrap_err();
    assert_eq!(refused.message(), "payment-method is unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_takes_the_order_on_after_its_items() {
    let served = Served::start_with(&Backend::Sqlite, patient).await;
    let mut client = client(&served).await;
    let order = created(&mut client).await;
    let to = |update: OrderUpdate, status: &str| {
        with(OrderUpdate { status: status.to_owned(), ..update })
    };
    // Nothing is done when the second half is not allowed.
    let refused = client.update_order(to(better_phone(&order), "Shipped")).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert_eq!(get(&mut client, &order.id).await, order);
    let answer = client.update_order(to(better_phone(&order), "Processing")).await.unwrap();
    let order = answer.into_inner().order.unwrap();
    assert_eq!((order.status.as_str(), order.total_amount), ("Processing", 1_199.99));
    assert_eq!(order, get(&mut client, &order.id).await);
    // In Processing a change is a run, and comes alone.
    let mut two = update(&order);
    two.items[0].quantity = 2;
    for status in ["Shipped", "Cancelled"] {
        let refused = client.update_order(to(two.clone(), status)).await.unwrap_err();
        let message = format!(
            "items of an order in Processing cannot change together with its status to {status}"
        );
        assert_eq!((refused.code(), refused.message()), (Code::FailedPrecondition, &*message));
    }
    let answer = client.update_order(to(update(&order), "Shipped")).await.unwrap().into_inner();
    assert_eq!(answer.order.unwrap().status, "Shipped");
}
