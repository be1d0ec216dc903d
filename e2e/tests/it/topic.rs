//! The topic as kcat or Kafka UI shows it.

use std::time::Duration;

use oms_e2e::{OmsProcess, Ports};
use oms_proto::oms_v1::order_service_client::OrderServiceClient;
use oms_testkit::requests::{create, item, pay};
use rdkafka::{
    ClientConfig, Message,
    consumer::{Consumer, StreamConsumer},
};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_paid_order_is_five_readable_events_in_order() {
    let data = tempfile::tempdir().unwrap();
    let ports = Ports::free().unwrap();
    let system = OmsProcess::start(data.path(), ports).await.unwrap();
    let mut orders = OrderServiceClient::new(Ports::channel(ports.order));
    let order = orders
        .create_order(create("customer-123", vec![item("SKU-001", 1, 10_000)]))
        .await
        .unwrap()
        .into_inner()
        .order_id;
    orders.pay_order(pay(&order, "")).await.unwrap();

    let consumer: StreamConsumer = ClientConfig::new()
        .set("bootstrap.servers", Ports::at(ports.kafka).to_string())
        .set("group.id", "observer")
        .set("auto.offset.reset", "earliest")
        .create()
        .unwrap();
    consumer.subscribe(&["oms.saga.events"]).unwrap();
    let mut story = Vec::new();
    while story.last().map(String::as_str) != Some("oms.order.confirmed.v1") {
        let message = tokio::time::timeout(Duration::from_secs(30), consumer.recv());
        let message = message.await.unwrap_or_else(|_| panic!("only {story:?}")).unwrap();
        assert_eq!(message.key().unwrap(), order.as_bytes());
        let value = std::str::from_utf8(message.payload().unwrap()).unwrap();
        assert!(value.starts_with(r#"{"type":"oms."#), "{value}");
        let event: Value = serde_json::from_str(value).unwrap();
        assert_eq!(event["subject"], order.as_str());
        story.push(event["type"].as_str().unwrap().to_owned());
    }
    assert_eq!(
        story,
        [
            "oms.order.created.v1",
            "oms.order.submitted.v1",
            "oms.inventory.reserved.v1",
            "oms.payment.captured.v1",
            "oms.order.confirmed.v1",
        ]
    );
    let ended = system.interrupt(Duration::from_secs(10)).await.unwrap();
    assert!(ended.success(), "{ended}");
}
