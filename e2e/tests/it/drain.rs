//! Ctrl-C under load: everything in hand is finished or left for the next start.

use std::time::Duration;

use oms_e2e::{OmsProcess, Ports};
use oms_proto::oms_v1::{OrderStatus, order_service_client::OrderServiceClient};
use oms_testkit::{
    eventually,
    requests::{create, get, item, keyed, pay},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_system_ends_within_ten_seconds_and_goes_on_later() {
    let data = tempfile::tempdir().unwrap();
    let ports = Ports::free().unwrap();
    let system = OmsProcess::start(data.path(), ports).await.unwrap();
    let mut orders = OrderServiceClient::new(Ports::channel(ports.order));
    let mut paid = Vec::new();
    for n in 0..30 {
        let request = create("customer", vec![item("SKU-LOAD-02", 1, 500)]);
        let answer = orders.create_order(keyed(&format!("drain-{n}"), request)).await.unwrap();
        let order = answer.into_inner().order_id;
        // Slow cards keep the gateway busy beyond the drain.
        orders.pay_order(pay(&order, "pm_card_slow")).await.unwrap();
        paid.push(order);
    }
    let ended = system.interrupt(Duration::from_secs(10)).await.unwrap();
    assert!(ended.success(), "{ended}");

    let system = OmsProcess::start(data.path(), ports).await.unwrap();
    let orders = OrderServiceClient::new(Ports::channel(ports.order));
    for order in &paid {
        eventually(Duration::from_secs(60), || {
            let mut orders = orders.clone();
            async move {
                let seen = orders.get_order(get(order)).await?.into_inner().order.unwrap();
                let status = seen.status();
                Ok(if status == OrderStatus::Confirmed { Ok(()) } else { Err(format!("{seen:?}")) })
            }
        })
        .await
        .unwrap();
    }
    assert!(system.interrupt(Duration::from_secs(10)).await.unwrap().success());
}
