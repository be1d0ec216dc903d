//! Traces that end at each hop, where a setting says so.

use oms_e2e::traces::{Tree, runs::buy};
use oms_messaging::ConsumeTrace;
use oms_proto::oms_v1::OrderStatus;

use super::stage::Stage;

/// The services that recorded spans of a trace.
async fn services(stage: &Stage, trace: &str) -> Vec<String> {
    let spans = stage.spans().spans(trace).await.unwrap();
    let mut services: Vec<String> = spans.into_iter().map(|span| span.service).collect();
    services.sort_unstable();
    services.dedup();
    services
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_event_is_applied_in_a_trace_of_its_own_that_links_to_what_brought_it() {
    let stage = Stage::set_with(|messaging| messaging.consume_trace = ConsumeTrace::Link).await;
    let clients = stage.stack.clients().await.unwrap();
    let bought = buy(&clients, "customer", "").await.unwrap();
    clients.reaches(&bought.order, OrderStatus::Confirmed).await.unwrap();
    // From hop to hop by links, there and back.
    let reserving = stage.linked_to(&bought.trace, "oms.order.submitted.v1").await;
    let capturing = stage.linked_to(&reserving, "oms.inventory.reserved.v1").await;
    let confirming = stage.linked_to(&capturing, "oms.payment.captured.v1").await;
    // The call's own trace ends where its event is sent, and each of the others as well.
    assert_eq!(services(&stage, &bought.trace).await, ["oms-order"]);
    assert_eq!(services(&stage, &reserving).await, ["oms-inventory"]);
    assert_eq!(services(&stage, &confirming).await, ["oms-order"]);
    let tree = Tree::of(stage.spans().spans(&confirming).await.unwrap());
    let road = tree.road_to("order.confirmed").unwrap();
    assert_eq!(
        road,
        [
            "order: process payment.captured",
            "order: react payment.captured",
            "order: create order.confirmed"
        ]
    );
    stage.finish().await;
}
