//! Which traces are recorded.

use oms_proto::oms_v1::OrderStatus;
use oms_testkit::requests::{item, pay};
use tonic::Request;

use super::stage::Stage;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn traced<T>(message: T, flags: &str) -> Request<T> {
    let mut request = Request::new(message);
    let parent = format!("00-{TRACE}-b7ad6b7169203331-{flags}");
    request.metadata_mut().insert("traceparent", parent.parse().unwrap());
    request
}

#[tokio::test]
async fn a_trace_that_is_not_sampled_has_its_ids_and_no_span() {
    let stage = Stage::sampling(0).await;
    let clients = stage.stack.clients().await.unwrap();
    let lines = vec![item("SKU-001", 1, 100)];
    let order = clients.buy("customer", lines, "").await.unwrap();
    let seen = clients.reaches(&order, OrderStatus::Confirmed).await.unwrap();
    let trace = seen.order.unwrap().trace_id;
    assert_eq!(trace.len(), 32);
    assert!(seen.timeline.iter().skip(1).all(|entry| entry.trace_id == trace));
    stage.stack.rest().await.unwrap();
    assert_eq!(stage.spans(), []);
    stage.finish().await;
}

#[tokio::test]
async fn what_the_caller_decided_holds_in_every_service() {
    for (percent, flags, recorded) in [(0, "01", true), (100, "00", false)] {
        let stage = Stage::sampling(percent).await;
        let clients = stage.stack.clients().await.unwrap();
        let order = clients.create("customer", vec![item("SKU-001", 1, 100)]).await.unwrap();
        let paying = traced(pay(&order, ""), flags);
        clients.orders.clone().pay_order(paying).await.unwrap();
        let seen = clients.reaches(&order, OrderStatus::Confirmed).await.unwrap();
        assert_eq!(seen.order.unwrap().trace_id, TRACE);
        stage.stack.rest().await.unwrap();
        let mut spans = stage.spans();
        spans.retain(|span| span.trace == TRACE);
        let mut services: Vec<_> = spans.iter().map(|span| span.service.as_str()).collect();
        services.sort_unstable();
        services.dedup();
        let all: &[&str] = &["oms-inventory", "oms-order", "oms-payment"];
        assert_eq!(services, if recorded { all } else { &[] }, "{flags}");
        stage.finish().await;
    }
}
