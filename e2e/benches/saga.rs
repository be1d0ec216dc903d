//! How fast the embedded arrangement is: completed orders a second at saturation, and the time from
//! an accepted PayOrder to CONFIRMED at a constant rate.
//!
//! `cargo build --release -p oms && cargo bench -p oms-e2e`. Figures are of this machine with
//! clients, services, broker and databases on it and every commit on disk; other work on the
//! machine is in them. Quote medians of several runs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use oms_e2e::{OmsProcess, Ports};
use oms_proto::oms_v1::{OrderStatus, order_service_client::OrderServiceClient};
use oms_seams::{Clock, SystemClock};
use oms_testkit::requests::{create, get, item, keyed, pay};
use tokio::task::JoinSet;
use tonic::transport::Channel;

const CLIENTS: u64 = 64;
const SATURATED_FOR: Duration = Duration::from_secs(20);
const RATE: u64 = 50;
const STEADY_FOR: Duration = Duration::from_secs(20);
const QUIET_WITHIN: Duration = Duration::from_secs(60);

type Orders = OrderServiceClient<Channel>;
/// An order and when its payment was accepted.
type Accepted = (String, DateTime<Utc>);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let data = tempfile::tempdir().unwrap();
        let ports = Ports::free().unwrap();
        let system = OmsProcess::start(data.path(), ports).await.unwrap();
        let orders = OrderServiceClient::new(Ports::channel(ports.order));
        steady(&orders).await;
        saturated(&orders, ports).await;
        system.interrupt(Duration::from_secs(15)).await.unwrap();
    });
}

async fn buy(mut orders: Orders, key: String) -> Result<Accepted, tonic::Status> {
    let request = create("bench", vec![item("SKU-LOAD-01", 1, 1_000)]);
    let order = orders.create_order(keyed(&key, request)).await?.into_inner().order_id;
    orders.pay_order(pay(&order, "")).await?;
    Ok((order, SystemClock.now()))
}

/// Open loop: orders start at a constant rate, however long the earlier ones take.
async fn steady(orders: &Orders) {
    let mut ticks = tokio::time::interval(Duration::from_millis(1_000 / RATE));
    let mut running = JoinSet::new();
    for n in 0..RATE * STEADY_FOR.as_secs() {
        ticks.tick().await;
        running.spawn(buy(orders.clone(), format!("steady-{n}")));
    }
    let accepted: Vec<Accepted> =
        running.join_all().await.into_iter().map(Result::unwrap).collect();
    let mut waits: Vec<i64> = Vec::new();
    for (order, at) in &accepted {
        waits.push((confirmed(orders.clone(), order).await - at).num_microseconds().unwrap());
    }
    waits.sort_unstable();
    let at = |share: usize| waits[(waits.len() - 1) * share / 100] as f64 / 1_000.0;
    println!(
        "steady at {RATE} orders/s: accept -> CONFIRMED p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms, \
         max {:.1} ms ({} orders)",
        at(50),
        at(95),
        at(99),
        at(100),
        waits.len()
    );
}

async fn confirmed(mut orders: Orders, order: &str) -> DateTime<Utc> {
    let until = Instant::now() + QUIET_WITHIN;
    loop {
        let seen = orders.get_order(get(order)).await.unwrap().into_inner();
        if seen.order.unwrap().status() == OrderStatus::Confirmed {
            let at = seen.timeline.last().unwrap().timestamp.unwrap();
            return DateTime::from_timestamp(at.seconds, at.nanos.try_into().unwrap()).unwrap();
        }
        assert!(Instant::now() < until, "{order} is not confirmed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Closed loop: every client starts its next order when the last was accepted.
async fn saturated(orders: &Orders, ports: Ports) {
    let before = completed(ports).await;
    let (failed, accepted) = (Arc::new(AtomicU64::new(0)), Arc::new(Mutex::new(Vec::new())));
    let begun = Instant::now();
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let (orders, failed, accepted) = (orders.clone(), failed.clone(), accepted.clone());
        clients.spawn(async move {
            for n in 0.. {
                if begun.elapsed() > SATURATED_FOR {
                    return;
                }
                match buy(orders.clone(), format!("saturated-{client}-{n}")).await {
                    Ok(order) => accepted.lock().unwrap().push(order),
                    Err(_) => {
                        failed.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        });
    }
    clients.join_all().await;
    let during = completed(ports).await - before;
    let rate = during as f64 / begun.elapsed().as_secs_f64();
    let wanted = accepted.lock().unwrap().len() as u64;
    while completed(ports).await - before < wanted {
        assert!(begun.elapsed() < SATURATED_FOR + QUIET_WITHIN, "the backlog does not end");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let whole = wanted as f64 / begun.elapsed().as_secs_f64();
    println!(
        "saturated by {CLIENTS} clients: {rate:.0} completed orders/s while they pay, {whole:.0}/s \
         until the last is confirmed ({wanted} orders, {} failed calls)",
        failed.load(Ordering::Relaxed)
    );
}

async fn completed(ports: Ports) -> u64 {
    let (_, page) = oms_e2e::get(Ports::at(ports.admin), "/metrics").await.unwrap();
    let line = page.lines().find_map(|line| line.strip_prefix("oms_saga_completed_total "));
    line.unwrap().trim().parse().unwrap()
}
