//! Ports under strange treatment, and what an operator's curl prints.

use std::time::Duration;

use oms_e2e::{OmsProcess, Ports};
use oms_proto::oms_v1::{OrderStatus, order_service_client::OrderServiceClient};
use oms_testkit::{
    eventually,
    requests::{create, get, item, pay},
};
use tokio::{io::AsyncWriteExt, net::TcpStream};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_bytes_do_no_harm_and_the_metrics_add_up() {
    let data = tempfile::tempdir().unwrap();
    let ports = Ports::free().unwrap();
    let system = OmsProcess::start(data.path(), ports).await.unwrap();
    for port in [ports.order, ports.inventory, ports.payment, ports.admin, ports.kafka] {
        throw_bytes_at(port).await;
    }
    let mut orders = OrderServiceClient::new(Ports::channel(ports.order));
    for (customer, expected) in
        [("customer-1", OrderStatus::Confirmed), ("declined-1", OrderStatus::Canceled)]
    {
        let request = create(customer, vec![item("SKU-001", 1, 100)]);
        let order = orders.create_order(request).await.unwrap().into_inner().order_id;
        orders.pay_order(pay(&order, "")).await.unwrap();
        becomes(&orders, &order, expected).await;
    }
    let (status, page) = oms_e2e::get(Ports::at(ports.admin), "/metrics").await.unwrap();
    assert_eq!(status, 200);
    for line in [
        "oms_saga_started_total 2",
        "oms_saga_completed_total 1",
        "oms_saga_failed_total 1",
        "oms_saga_canceled_total 0",
    ] {
        assert!(page.lines().any(|l| l == line), "{line} is missing in\n{page}");
    }
    for (path, word) in [("/livez", "ok"), ("/readyz", "order"), ("/", "/metrics")] {
        let (status, body) = oms_e2e::get(Ports::at(ports.admin), path).await.unwrap();
        assert_eq!(status, 200, "{path}: {body}");
        assert!(body.contains(word), "{path}: {body}");
    }
    assert!(system.interrupt(Duration::from_secs(10)).await.unwrap().success());
}

async fn throw_bytes_at(port: u16) {
    // A fixed generator: the same bytes every time (Knuth's MMIX constants).
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for _ in 0..20 {
        let mut stream = TcpStream::connect(Ports::at(port)).await.unwrap();
        let bytes: Vec<u8> = (0..4_096)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 56) as u8
            })
            .collect();
        // The server may hang up in the middle, which is its right.
        let _hung_up = stream.write_all(&bytes).await;
    }
}

async fn becomes(
    orders: &OrderServiceClient<tonic::transport::Channel>,
    order: &str,
    expected: OrderStatus,
) {
    eventually(Duration::from_secs(30), || {
        let mut orders = orders.clone();
        async move {
            let seen = orders.get_order(get(order)).await?.into_inner().order.unwrap();
            Ok(if seen.status() == expected { Ok(()) } else { Err(format!("{seen:?}")) })
        }
    })
    .await
    .unwrap();
}
