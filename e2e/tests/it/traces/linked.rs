//! Traces that end at each hop, where a setting says so.

use oms_messaging::ConsumeTrace;
use oms_proto::oms_v1::OrderStatus;
use oms_testkit::requests::{item, pay};

use super::stage::Stage;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_event_is_applied_in_a_trace_of_its_own_that_links_to_what_brought_it() {
    let stage = Stage::set_with(|messaging| messaging.consume_trace = ConsumeTrace::Link).await;
    let clients = stage.stack.clients().await.unwrap();
    let order = clients.create("customer", vec![item("SKU-001", 1, 100)]).await.unwrap();
    let answer = clients.orders.clone().pay_order(pay(&order, "")).await.unwrap();
    let paying = answer.metadata().get("x-trace-id").unwrap().to_str().unwrap().to_owned();
    clients.reaches(&order, OrderStatus::Confirmed).await.unwrap();
    stage.stack.rest().await.unwrap();
    // The call's own trace ends where its event is sent.
    let tree = stage.tree(&paying, 0).await;
    assert_eq!(tree.services(), ["oms-order"]);
    assert_eq!(tree.named("create").len(), 1);
    let reserving = stage.linked_to(&paying, "oms.order.submitted.v1").await;
    // And so does what inventory does about it, and payment.
    let capturing = stage.linked_to(&reserving, "oms.inventory.reserved.v1").await;
    let confirming = stage.linked_to(&capturing, "oms.payment.captured.v1").await;
    let tree = stage.tree(&confirming, 1).await;
    assert_eq!(tree.services(), ["oms-order"]);
    assert!(tree.root().name.starts_with("process"), "{:?}", tree.root());
    assert_eq!(tree.road_to("oms.order.confirmed.v1").len(), 3);
    stage.finish().await;
}
