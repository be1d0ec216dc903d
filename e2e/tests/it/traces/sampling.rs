//! Which traces are recorded.

use std::time::Duration;

use oms_e2e::{OmsProcess, Ports};
use oms_proto::oms_v1::{OrderStatus, order_service_client::OrderServiceClient};
use oms_testkit::{
    Collector, eventually,
    requests::{create, get, item, pay},
};
use tonic::Request;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// The trace of an order's run as GetOrder tells it, and the services that recorded spans of it, in
/// a system that samples so many in a hundred; `flags` is what the caller decided, if anything.
async fn recorded(percent: u8, flags: Option<&str>) -> (String, Vec<String>) {
    let (data, ports) = (tempfile::tempdir().unwrap(), Ports::free().unwrap());
    let collector = Collector::start().unwrap();
    let environment = [
        ("OMS_TRACES__ENDPOINT", collector.endpoint()),
        ("OMS_TRACES__SAMPLE_PERCENT", percent.to_string()),
    ];
    let system = OmsProcess::start_with(data.path(), ports, environment).await.unwrap();
    let mut orders = OrderServiceClient::new(Ports::channel(ports.order));
    let request = create("customer", vec![item("SKU-001", 1, 100)]);
    let order = orders.create_order(request).await.unwrap().into_inner().order_id;
    let mut paying = Request::new(pay(&order, ""));
    if let Some(flags) = flags {
        let parent = format!("00-{TRACE}-b7ad6b7169203331-{flags}");
        paying.metadata_mut().insert("traceparent", parent.parse().unwrap());
    }
    orders.pay_order(paying).await.unwrap();
    let trace = eventually(Duration::from_secs(30), || async {
        let seen = orders.clone().get_order(get(&order)).await?.into_inner();
        let now = seen.order.unwrap_or_default();
        assert!(seen.timeline.iter().skip(1).all(|entry| entry.trace_id == now.trace_id));
        let done = now.status() == OrderStatus::Confirmed;
        Ok(if done { Ok(now.trace_id) } else { Err(format!("{:?}", now.status())) })
    })
    .await
    .unwrap();
    // What has ended is exported on the way out.
    assert!(system.interrupt(Duration::from_secs(10)).await.unwrap().success());
    let spans = collector.trace(&trace);
    let mut services: Vec<String> = spans.into_iter().map(|span| span.service).collect();
    services.sort_unstable();
    services.dedup();
    (trace, services)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_that_is_not_sampled_has_its_id_and_no_span() {
    let (trace, services) = recorded(0, None).await;
    assert_eq!(trace.len(), 32);
    assert!(services.is_empty(), "{services:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_caller_decided_holds_in_every_service() {
    let all = ["oms-inventory", "oms-order", "oms-payment"].map(str::to_owned).to_vec();
    assert_eq!(recorded(0, Some("01")).await, (TRACE.to_owned(), all));
    assert_eq!(recorded(100, Some("00")).await, (TRACE.to_owned(), Vec::new()));
}
