//! A trace collector that is there, goes away and comes back: calls do not notice.

use std::{path::Path, time::Duration};

use oms_e2e::{OmsProcess, Ports};
use oms_proto::oms_v1::{OrderStatus, order_service_client::OrderServiceClient};
use oms_testkit::{
    Collector, eventually,
    requests::{create, get, item, pay},
};
use tonic::transport::Channel;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_goes_away_costs_one_line_and_no_call() {
    let data = tempfile::tempdir().unwrap();
    let ports = Ports::free().unwrap();
    let collector = Collector::start().unwrap();
    let (at, environment) = (collector.address(), environment(&collector));
    let system = OmsProcess::start_with(data.path(), ports, environment).await.unwrap();
    let orders = OrderServiceClient::new(Ports::channel(ports.order));

    let trace = confirmed(&orders).await;
    eventually(Duration::from_secs(20), || async {
        let spans = collector.trace(&trace);
        let services = |name: &str| spans.iter().any(|span| span.service == name);
        let all = services("oms-order") && services("oms-inventory") && services("oms-payment");
        Ok(if all { Ok(()) } else { Err(format!("{} spans", spans.len())) })
    })
    .await
    .unwrap();

    drop(collector);
    // Every order makes spans, and each of several exports fails.
    for _ in 0..5 {
        confirmed(&orders).await;
    }
    told(data.path(), "takes no spans").await;
    for _ in 0..20 {
        confirmed(&orders).await;
    }
    let again = Collector::listen(at).unwrap();
    eventually(Duration::from_secs(20), || async {
        confirmed(&orders).await;
        let back = !again.spans().is_empty();
        Ok(if back { Ok(()) } else { Err("no span after it came back".to_owned()) })
    })
    .await
    .unwrap();
    told(data.path(), "takes spans again").await;
    let log = std::fs::read_to_string(data.path().join("output.log")).unwrap();
    assert_eq!(log.matches("takes no spans").count(), 1, "{log}");
    assert!(system.interrupt(Duration::from_secs(10)).await.unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_ended_is_exported_before_the_process_ends() {
    let data = tempfile::tempdir().unwrap();
    let ports = Ports::free().unwrap();
    let collector = Collector::start().unwrap();
    // So rarely that only the end of the process can be the reason.
    let mut environment = environment(&collector).to_vec();
    environment.push(("OMS_TRACES__EXPORT_DELAY_MS", "60000".to_owned()));
    let system = OmsProcess::start_with(data.path(), ports, environment).await.unwrap();
    let trace = confirmed(&OrderServiceClient::new(Ports::channel(ports.order))).await;
    assert!(collector.trace(&trace).is_empty());
    assert!(system.interrupt(Duration::from_secs(10)).await.unwrap().success());
    let spans = collector.trace(&trace);
    assert!(spans.iter().any(|span| span.name == "gateway capture"), "{spans:#?}");
}

fn environment(collector: &Collector) -> [(&'static str, String); 2] {
    [
        ("OMS_TRACES__ENDPOINT", collector.endpoint()),
        ("OMS_TRACES__EXPORT_DELAY_MS", "50".to_owned()),
    ]
}

/// An order on its whole way; returns the trace of its payment.
async fn confirmed(orders: &OrderServiceClient<Channel>) -> String {
    let request = create("customer", vec![item("SKU-001", 1, 100)]);
    let order = orders.clone().create_order(request).await.unwrap().into_inner().order_id;
    orders.clone().pay_order(pay(&order, "")).await.unwrap();
    eventually(Duration::from_secs(30), || async {
        let answer = orders.clone().get_order(get(&order)).await?.into_inner();
        let seen = answer.order.unwrap_or_default();
        let done = seen.status() == OrderStatus::Confirmed;
        Ok(if done { Ok(seen.trace_id) } else { Err(format!("{:?}", seen.status())) })
    })
    .await
    .unwrap()
}

/// Waits until the system's output has a line with these words.
async fn told(data: &Path, words: &str) {
    let path = data.join("output.log");
    eventually(Duration::from_secs(20), || async {
        let log = std::fs::read_to_string(&path)?;
        Ok(if log.contains(words) { Ok(()) } else { Err(format!("{words:?}: {log}")) })
    })
    .await
    .unwrap();
}
