//! One script through both APIs gives the same order, totals, status and instants.

use oms_order::domain::Stage;
use oms_proto::{
    oms_v1::{
        self, CreateOrderRequest, Money, OrderStatus, create_order_request::Item,
        order_service_client::OrderServiceClient,
    },
    orders::{Order, orders_client::OrdersClient},
};
use oms_service::testing::Backend;

use super::caller::{CASE, CUSTOMER, PHONE, channel, client, created, get, patient, status, ticks};
use crate::served::{Paying, Served, cancel, complete, each_backend, get as look, pay, ship};

/// The document's order in the words of `oms.v1`.
fn create() -> CreateOrderRequest {
    let item = |sku: &str, name: &str, minor| Item {
        sku: sku.to_owned(),
        name: name.to_owned(),
        qty: 2,
        price: Some(Money { currency: "USD".to_owned(), amount_minor: minor }),
    };
    CreateOrderRequest {
        customer_id: CUSTOMER.to_owned(),
        currency: "USD".to_owned(),
        items: vec![item(PHONE, "iPhone 15 Pro", 99_999), item(CASE, "iPhone Case", 4_999)],
        reference: String::new(),
    }
}

/// What both APIs tell of one order at one time: what follows a cancellation changes it meanwhile.
async fn told_by_both(served: &Served, id: &str) -> (Order, oms_v1::Order) {
    let mut client = client(served).await;
    for _ in 0..1_000 {
        let (before, told) = (served.view(id).await.order, get(&mut client, id).await);
        let after = served.view(id).await.order.unwrap();
        if before.is_some_and(|before| before == after) {
            return (told, after);
        }
    }
    panic!("{id} never rests");
}

/// That both APIs tell the same of one order.
async fn both_tell_the_same(served: &Served, id: &str) -> (Order, oms_v1::Order) {
    let (told, view) = told_by_both(served, id).await;
    assert_eq!((&told.id, &told.customer_id), (&view.id, &view.customer_id));
    assert_eq!(told.currency, view.currency);
    assert_eq!(told.created_at, ticks(view.created_at), "to the tick");
    assert_eq!(told.updated_at, ticks(view.updated_at), "to the tick");
    let cents = |minor: i64| minor as f64 / 100.0;
    assert_eq!(told.total_amount, cents(view.amount_minor));
    assert_eq!(told.items.len(), view.items.len());
    for (item, seen) in told.items.iter().zip(&view.items) {
        assert_eq!((&item.id, &item.product_id), (&seen.id, &seen.sku));
        assert_eq!((&item.product_name, item.quantity), (&seen.name, seen.qty));
        assert_eq!(item.unit_price, cents(seen.price_minor));
    }
    let stage = match view.lifecycle_status() {
        OrderStatus::Pending => "Pending",
        OrderStatus::Confirmed => "Processing",
        OrderStatus::Shipped => "Shipped",
        OrderStatus::Completed => "Completed",
        OrderStatus::Canceled | OrderStatus::Refunded => "Cancelled",
        other => panic!("not at rest: {other:?}"),
    };
    assert_eq!(told.status, stage);
    (told, view)
}

/// What an order's timeline tells, without its instants.
async fn story(served: &Served, id: &str) -> Vec<(String, String)> {
    let timeline = served.view(id).await.timeline;
    timeline.into_iter().map(|entry| (entry.event_type, entry.payload)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_script_through_both_apis_gives_equal_orders() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, patient).await;
        let (mut one, mut other) = (served.client.clone(), client(&served).await);
        let by_oms = one.create_order(create()).await.unwrap().into_inner().order_id;
        let by_orders = created(&mut other).await.id;
        for to in [Stage::Pending, Stage::Processing, Stage::Shipped, Stage::Completed] {
            match to {
                Stage::Processing => {
                    one.pay_order(pay(&by_oms)).await.unwrap();
                    served.reaches(&by_oms, OrderStatus::Confirmed).await;
                }
                Stage::Shipped => drop(one.ship_order(ship(&by_oms)).await.unwrap()),
                Stage::Completed => drop(one.complete_order(complete(&by_oms)).await.unwrap()),
                Stage::Pending | Stage::Cancelled => {}
            }
            other.update_order_status(status(&by_orders, to.as_str())).await.unwrap();
            let (told, view) = both_tell_the_same(&served, &by_oms).await;
            let (told_too, view_too) = both_tell_the_same(&served, &by_orders).await;
            assert_eq!(
                (&told.status, told.total_amount),
                (&told_too.status, told_too.total_amount)
            );
            assert_eq!(told.status, to.as_str());
            assert_eq!((view.status, view.version), (view_too.status, view_too.version));
            assert_eq!(view.captured_minor, view_too.captured_minor);
            assert_eq!(story(&served, &by_oms).await, story(&served, &by_orders).await);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_apis_cancel_alike_and_tell_of_a_failed_payment_alike() {
    let served = Served::start_with(&Backend::Sqlite, patient).await;
    let (mut one, mut other) = (served.client.clone(), client(&served).await);
    let by_oms = one.create_order(create()).await.unwrap().into_inner().order_id;
    let by_orders = created(&mut other).await.id;
    one.cancel_order(cancel(&by_oms)).await.unwrap();
    other.update_order_status(status(&by_orders, "Cancelled")).await.unwrap();
    both_tell_the_same(&served, &by_oms).await;
    both_tell_the_same(&served, &by_orders).await;
    assert_eq!(story(&served, &by_oms).await, story(&served, &by_orders).await);

    served.others.pay(Paying::Decline);
    let by_oms = one.create_order(create()).await.unwrap().into_inner().order_id;
    let by_orders = created(&mut other).await.id;
    one.pay_order(pay(&by_oms)).await.unwrap();
    other.update_order_status(status(&by_orders, "Processing")).await.unwrap_err();
    for id in [&by_oms, &by_orders] {
        served.reaches(id, OrderStatus::Canceled).await;
        let (_, view) = both_tell_the_same(&served, id).await;
        assert_eq!(view.status_reason.unwrap().code, "payment_declined");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_port_of_oms_v1_answers_orders_too_and_their_own_port_nothing_else() {
    let served = Served::start_with(&Backend::Sqlite, patient).await;
    let mut here = OrdersClient::new(channel(served.running.grpc).await);
    let order = created(&mut here).await;
    let mut there = client(&served).await;
    assert_eq!(get(&mut there, &order.id).await, order);
    // The port of its own serves nothing else.
    let mut oms = OrderServiceClient::new(channel(served.running.orders).await);
    let refused = oms.get_order(look(&order.id)).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unimplemented);
}
