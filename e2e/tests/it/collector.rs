//! A trace collector that is there, goes away in the middle of load and comes back: calls do not
//! notice, and the log has one line for each.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use oms_e2e::{OmsProcess, Ports};
use oms_proto::oms_v1::{OrderStatus, order_service_client::OrderServiceClient};
use oms_testkit::{
    Collector, eventually,
    requests::{create, get, item, pay},
};
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

const CLIENTS: usize = 6;
/// Orders that are paid without a collector after it was told that there is none: each has some
/// forty spans, and there is an export every 50 ms.
const WITHOUT: u64 = 60;
const PATIENCE: Duration = Duration::from_secs(60);
const AWAY: &str = "the trace collector takes no spans; they are lost until it does";
const BACK: &str = "the trace collector takes spans again";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_goes_away_under_load_costs_one_line_and_no_call() {
    let data = tempfile::tempdir().unwrap();
    let ports = Ports::free().unwrap();
    let collector = Collector::start().unwrap();
    let (at, environment) = (collector.address(), environment(&collector.endpoint()));
    let system = OmsProcess::start_with(data.path(), ports, environment).await.unwrap();
    let load = Load::start(ports);
    eventually(PATIENCE, || async {
        let of = |name: &str| collector.spans().iter().any(|span| span.service == name);
        let all = of("oms-order") && of("oms-inventory") && of("oms-payment");
        Ok(if all { Ok(()) } else { Err("not a span of each service".to_owned()) })
    })
    .await
    .unwrap();

    drop(collector);
    told(data.path(), AWAY).await;
    load.pays(WITHOUT).await;
    let again = Collector::listen(at).unwrap();
    told(data.path(), BACK).await;
    eventually(PATIENCE, || async {
        Ok(if again.spans().is_empty() { Err("no span".to_owned()) } else { Ok(()) })
    })
    .await
    .unwrap();
    load.end().await;
    assert!(system.interrupt(Duration::from_secs(10)).await.unwrap().success());

    let lines = lines(data.path());
    let about: Vec<_> = lines.iter().filter(|line| line["message"] == AWAY).collect();
    assert_eq!(about.len(), 1, "{about:#?}");
    assert_eq!(about[0]["level"], "WARN");
    let about: Vec<_> = lines.iter().filter(|line| line["message"] == BACK).collect();
    assert_eq!(about.len(), 1, "{about:#?}");
    assert_eq!(about[0]["level"], "INFO");
    assert!(about[0]["lost"].as_u64().unwrap() > 0, "{about:#?}");
    // Neither the exporter nor what it is made of has more to say.
    assert_eq!(alarms(&lines).len(), 1, "{:#?}", alarms(&lines));
}

/// One that takes connections and answers nothing is as good as away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_hangs_costs_one_line_and_no_call_and_the_process_ends_in_time() {
    let data = tempfile::tempdir().unwrap();
    let ports = Ports::free().unwrap();
    let hanging = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", hanging.local_addr().unwrap());
    let mut accepting = JoinSet::new();
    accepting.spawn(async move {
        let mut held = Vec::new();
        while let Ok(connection) = hanging.accept().await {
            held.push(connection);
        }
    });
    let mut environment = environment(&endpoint).to_vec();
    environment.push(("OMS_TRACES__EXPORT_TIMEOUT_MS", "100".to_owned()));
    let system = OmsProcess::start_with(data.path(), ports, environment).await.unwrap();
    let load = Load::start(ports);
    told(data.path(), AWAY).await;
    load.pays(WITHOUT).await;
    load.end().await;
    assert!(system.interrupt(Duration::from_secs(10)).await.unwrap().success());
    let lines = lines(data.path());
    let alarms = alarms(&lines);
    assert!(alarms.len() == 1 && alarms[0]["message"] == AWAY, "{alarms:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_ended_is_exported_before_the_process_ends() {
    let data = tempfile::tempdir().unwrap();
    let ports = Ports::free().unwrap();
    let collector = Collector::start().unwrap();
    // So rarely that only the end of the process can be the reason.
    let mut environment = environment(&collector.endpoint()).to_vec();
    environment.push(("OMS_TRACES__EXPORT_DELAY_MS", "60000".to_owned()));
    let system = OmsProcess::start_with(data.path(), ports, environment).await.unwrap();
    let trace = confirmed(&OrderServiceClient::new(Ports::channel(ports.order))).await;
    assert!(collector.trace(&trace).is_empty());
    assert!(system.interrupt(Duration::from_secs(10)).await.unwrap().success());
    let spans = collector.trace(&trace);
    assert!(spans.iter().any(|span| span.name == "gateway capture"), "{spans:#?}");
}

/// Customers who pay as fast as they are answered. Each call must succeed.
struct Load {
    paid: Arc<AtomicU64>,
    stop: CancellationToken,
    clients: JoinSet<()>,
}

impl Load {
    fn start(ports: Ports) -> Self {
        let (paid, stop) = (Arc::<AtomicU64>::default(), CancellationToken::new());
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            let (paid, stop) = (paid.clone(), stop.clone());
            let orders = OrderServiceClient::new(Ports::channel(ports.order));
            clients.spawn(async move {
                while !stop.is_cancelled() {
                    confirmed(&orders).await;
                    paid.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        Self { paid, stop, clients }
    }

    /// Waits until so many more have paid.
    async fn pays(&self, more: u64) {
        let wanted = self.paid.load(Ordering::SeqCst) + more;
        eventually(PATIENCE, || async {
            let paid = self.paid.load(Ordering::SeqCst);
            Ok(if paid >= wanted { Ok(()) } else { Err(format!("{paid} of {wanted} paid")) })
        })
        .await
        .unwrap();
    }

    /// Ends it; a call that failed fails here.
    async fn end(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.clients.join_next().await {
            ended.unwrap();
        }
    }
}

fn environment(endpoint: &str) -> [(&'static str, String); 2] {
    [
        ("OMS_TRACES__ENDPOINT", endpoint.to_owned()),
        ("OMS_TRACES__EXPORT_DELAY_MS", "50".to_owned()),
    ]
}

/// An order on its whole way; returns the trace of its payment.
async fn confirmed(orders: &OrderServiceClient<Channel>) -> String {
    let request = create("customer", vec![item("SKU-LOAD-01", 1, 100)]);
    let order = orders.clone().create_order(request).await.unwrap().into_inner().order_id;
    orders.clone().pay_order(pay(&order, "")).await.unwrap();
    eventually(PATIENCE, || async {
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
    eventually(PATIENCE, || async {
        let there = lines(data).iter().any(|line| line["message"] == words);
        Ok(if there { Ok(()) } else { Err(format!("nobody says {words:?}")) })
    })
    .await
    .unwrap();
}

/// The lines of the log, among what `oms run` says to people.
fn lines(data: &Path) -> Vec<Value> {
    let log = std::fs::read_to_string(data.join("output.log")).unwrap();
    log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// Warnings and errors.
fn alarms(lines: &[Value]) -> Vec<&Value> {
    lines.iter().filter(|line| line["level"] == "WARN" || line["level"] == "ERROR").collect()
}
