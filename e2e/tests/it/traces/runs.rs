//! One trace of each run, through all three services and back.

use oms_proto::oms_v1::OrderStatus;
use oms_testkit::{
    Clients, Name,
    requests::{cancel, item, refund},
};
use tonic::Response;

use super::stage::Stage;

fn trace_of<T>(answer: &Response<T>) -> String {
    answer.metadata().get("x-trace-id").unwrap().to_str().unwrap().to_owned()
}

async fn buy(clients: &Clients, customer: &str, method: &str) -> (String, String) {
    let lines = vec![item("SKU-001", 1, 100)];
    let order = clients.create(customer, lines).await.unwrap();
    let pay = oms_testkit::requests::pay(&order, method);
    let answer = clients.orders.clone().pay_order(pay).await.unwrap();
    let trace = trace_of(&answer);
    (order, trace)
}

const ALL: [&str; 3] = ["oms-inventory", "oms-order", "oms-payment"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paid_order_is_one_trace_in_causal_order() {
    let stage = Stage::set().await;
    let clients = stage.stack.clients().await.unwrap();
    let (order, trace) = buy(&clients, "customer", "").await;
    let seen = clients.reaches(&order, OrderStatus::Confirmed).await.unwrap();
    assert_eq!(seen.order.unwrap().trace_id, trace);
    let run = seen.timeline.iter().skip(1);
    assert!(run.clone().count() == 3 && run.clone().all(|entry| entry.trace_id == trace));
    stage.stack.rest().await.unwrap();
    // submitted, reserved and confirmed have two listeners, captured has one.
    let tree = stage.tree(&trace, 7).await;
    tree.is_in_order();
    assert_eq!(tree.services(), ALL);
    assert_eq!(tree.root().name, "oms.v1.OrderService/PayOrder");
    assert_eq!(
        tree.road_to("oms.order.confirmed.v1"),
        [
            "order: oms.v1.OrderService/PayOrder",
            "order: PayOrder",
            "order: create order.submitted",
            "order: send order.submitted",
            "inventory: process order.submitted",
            "inventory: react order.submitted",
            "inventory: create inventory.reserved",
            "inventory: send inventory.reserved",
            "payment: process inventory.reserved",
            "payment: react inventory.reserved",
            "payment: gateway capture",
            "payment: record capture",
            "payment: create payment.captured",
            "payment: send payment.captured",
            "order: process payment.captured",
            "order: react payment.captured",
            "order: create order.confirmed",
        ]
    );
    assert!(!tree.named("transaction").is_empty());
    stage.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_declined_order_is_one_trace_until_the_stock_is_back() {
    let stage = Stage::set().await;
    let clients = stage.stack.clients().await.unwrap();
    let (order, trace) = buy(&clients, "customer", "pm_card_declined").await;
    clients.reaches(&order, OrderStatus::Canceled).await.unwrap();
    stage.stack.rest().await.unwrap();
    let tree = stage.tree(&trace, 7).await;
    tree.is_in_order();
    assert_eq!(tree.services(), ALL);
    let road = tree.road_to("oms.inventory.released.v1");
    let turns = ["payment: create payment.declined", "inventory: react order.canceled"];
    for turn in turns {
        assert!(road.iter().any(|step| step == turn), "{turn}: {road:#?}");
    }
    stage.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancellation_during_the_run_is_a_trace_of_its_own_with_a_link() {
    let stage = Stage::set().await;
    let clients = stage.stack.clients().await.unwrap();
    let (order, paying) = buy(&clients, "customer", "pm_card_slow").await;
    let answer = clients.orders.clone().cancel_order(cancel(&order)).await.unwrap();
    let canceling = trace_of(&answer);
    assert_ne!(canceling, paying);
    stage.stack.rest().await.unwrap();
    let tree = stage.tree(&canceling, 2).await;
    assert_eq!(tree.root().name, "oms.v1.OrderService/CancelOrder");
    let command = tree.named("CancelOrder");
    assert!(command[0].links.contains(&paying), "{:?}", command[0]);
    stage.tree(&paying, 2).await;
    stage.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_later_refund_links_to_the_order_and_comes_back_in_its_own_trace() {
    let stage = Stage::set().await;
    let clients = stage.stack.clients().await.unwrap();
    let (order, paying) = buy(&clients, "customer", "").await;
    clients.reaches(&order, OrderStatus::Confirmed).await.unwrap();
    let answer = clients.orders.clone().refund_order(refund(&order, Some(40))).await.unwrap();
    let refunding = trace_of(&answer);
    stage.stack.rest().await.unwrap();
    let tree = stage.tree(&refunding, 2).await;
    tree.is_in_order();
    assert_eq!(tree.services(), ["oms-order", "oms-payment"]);
    assert!(tree.named("RefundOrder")[0].links.contains(&paying));
    let road = tree.road_to("oms.payment.refunded.v1");
    assert!(road.contains(&"payment: gateway refund".to_owned()), "{road:#?}");
    stage.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_whose_inventory_was_away_is_still_one_trace() {
    let mut stage = Stage::set().await;
    let clients = stage.stack.clients().await.unwrap();
    stage.stack.kill(Name::Inventory).await;
    let (order, trace) = buy(&clients, "customer", "").await;
    // Paid for and published, and nobody there who could reserve.
    let said = || stage.stack.simulated().records("oms.saga.events").len();
    oms_testkit::eventually(std::time::Duration::from_secs(20), || async {
        Ok(if said() == 2 { Ok(()) } else { Err("not published".to_owned()) })
    })
    .await
    .unwrap();
    stage.stack.restart(Name::Inventory).await.unwrap();
    clients.reaches(&order, OrderStatus::Confirmed).await.unwrap();
    stage.stack.rest().await.unwrap();
    let tree = stage.tree(&trace, 7).await;
    tree.is_in_order();
    assert_eq!(tree.services(), ALL);
    stage.finish().await;
}
