//! What traces cost: the throughput with every trace recorded and exported, over the throughput
//! without, in pairs of runs that follow each other.
//!
//! `cargo build --release -p oms && cargo bench -p oms-e2e --bench traces`. The collector runs on
//! the same machine and takes its part of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::time::{Duration, Instant};

use oms_e2e::{OmsProcess, Ports};
use oms_proto::oms_v1::order_service_client::OrderServiceClient;
use oms_testkit::{
    Collector,
    requests::{create, item, pay},
};
use tokio::task::JoinSet;

const PAIRS: usize = 3;
const CLIENTS: u64 = 32;
const ORDERS_EACH: u64 = 40;
const QUIET_WITHIN: Duration = Duration::from_secs(60);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut ratios: Vec<f64> = (0..PAIRS).map(|pair| runtime.block_on(one_pair(pair))).collect();
    ratios.sort_by(f64::total_cmp);
    println!("with traces over without, median of {PAIRS} pairs: {:.3}", ratios[PAIRS / 2]);
}

async fn one_pair(pair: usize) -> f64 {
    // What drifts on the machine meets both alike: every second pair is the other way around.
    let traced_first = pair % 2 == 1;
    let first = throughput(traced_first).await;
    let second = throughput(!traced_first).await;
    let (with, without) = if traced_first { (first, second) } else { (second, first) };
    println!("pair {pair}: {with:.1} orders/s with traces, {without:.1} without");
    with / without
}

/// Orders a second from the first call to the last confirmation.
async fn throughput(traced: bool) -> f64 {
    let data = tempfile::tempdir().unwrap();
    let ports = Ports::free().unwrap();
    let collector = Collector::start().unwrap();
    let endpoint = if traced { collector.endpoint() } else { String::new() };
    let environment = [("OMS_TRACES__ENDPOINT", endpoint)];
    let system = OmsProcess::start_with(data.path(), ports, environment).await.unwrap();
    let orders = OrderServiceClient::new(Ports::channel(ports.order));
    let begun = Instant::now();
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let mut orders = orders.clone();
        clients.spawn(async move {
            for nth in 0..ORDERS_EACH {
                // The same order of the same customer, wanted again at once, is the same order.
                let customer = format!("customer-{client}-{nth}");
                let request = create(&customer, vec![item("SKU-LOAD-01", 1, 1_000)]);
                let order = orders.create_order(request).await.unwrap().into_inner().order_id;
                orders.pay_order(pay(&order, "")).await.unwrap();
            }
        });
    }
    clients.join_all().await;
    loop {
        let page = page(ports).await;
        let [completed, failed] = ["completed", "failed"].map(|end| ended(&page, end));
        if completed + failed == CLIENTS * ORDERS_EACH {
            assert_eq!(failed, 0, "orders failed");
            break;
        }
        let late = begun.elapsed() > QUIET_WITHIN;
        assert!(!late, "the backlog does not end: {completed} completed, {failed} failed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let rate = (CLIENTS * ORDERS_EACH) as f64 / begun.elapsed().as_secs_f64();
    assert!(system.interrupt(Duration::from_secs(60)).await.unwrap().success());
    let spans = collector.spans().len();
    assert_eq!(spans > 0, traced);
    println!("  {rate:.1} orders/s, {spans} spans");
    rate
}

async fn page(ports: Ports) -> String {
    oms_e2e::get(Ports::at(ports.admin), "/metrics").await.unwrap().1
}

/// Pay runs that ended so.
fn ended(page: &str, end: &str) -> u64 {
    let name = format!("oms_saga_{end}_total ");
    page.lines().find_map(|line| line.strip_prefix(&name)).unwrap().trim().parse().unwrap()
}
