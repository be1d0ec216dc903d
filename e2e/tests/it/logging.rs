//! What docs/logging.md says of a line, of lines of the running system.

use std::{path::Path, time::Duration};

use oms_e2e::{OmsProcess, Ports};
use oms_proto::oms_v1::OrderStatus;
use oms_testkit::{Clients, eventually, requests::item};
use rdkafka::{
    ClientConfig,
    producer::{FutureProducer, FutureRecord},
    util::Timeout,
};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(60);
/// What is said of a call to the gateway without an outcome: something retries.
const RETRIES: &str = "asked again with the same key";

struct Seen {
    order: String,
    trace: String,
    log: String,
}

/// An order whose first call to the gateway has no outcome, and then a record that nobody can read
/// about it; with the log in this format.
async fn seen(format: &str) -> Seen {
    let (data, ports) = (tempfile::tempdir().unwrap(), Ports::free().unwrap());
    let format = [("OMS_LOG__FORMAT", format)];
    let system = OmsProcess::start_with(data.path(), ports, format).await.unwrap();
    let [order, inventory, payment] = [ports.order, ports.inventory, ports.payment].map(Ports::at);
    let clients = Clients::connect(order, inventory, payment).await.unwrap();
    let lines = vec![item("SKU-001", 1, 100)];
    let order = clients.buy("customer", lines, "pm_card_timeout").await.unwrap();
    let seen = clients.reaches(&order, OrderStatus::Confirmed).await.unwrap();
    let producer: FutureProducer = ClientConfig::new()
        .set("bootstrap.servers", Ports::at(ports.kafka).to_string())
        .create()
        .unwrap();
    let record = FutureRecord::to("oms.saga.events").key(&order).payload("{}");
    producer.send(record, Timeout::After(PATIENCE)).await.unwrap();
    // Each service parks it, and says so.
    let log = eventually(PATIENCE, || async {
        let log = log(data.path())?;
        let parked = log.matches("malformed_envelope").count();
        Ok(if parked >= 3 { Ok(log) } else { Err(log) })
    });
    let log = log.await.unwrap();
    assert!(system.interrupt(Duration::from_secs(10)).await.unwrap().success());
    Seen { trace: seen.order.unwrap().trace_id, order, log }
}

fn log(data: &Path) -> anyhow::Result<String> {
    Ok(std::fs::read_to_string(data.join("output.log"))?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_of_json_has_level_trace_order_and_the_events_fields() {
    let Seen { order, trace, log } = seen("auto").await;
    let lines: Vec<Value> =
        log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let retry: Vec<_> = lines.iter().filter(|line| line["message"] == RETRIES).collect();
    assert_eq!(retry.len(), 1, "{log}");
    for (name, value) in [
        ("level", "WARN"),
        ("target", "oms_payment::worker::call"),
        ("order_id", order.as_str()),
        ("trace_id", trace.as_str()),
        ("service", "payment"),
        ("kind", "capture"),
    ] {
        assert_eq!(retry[0][name], value, "{name} in {}", retry[0]);
    }
    let parked: Vec<_> =
        lines.iter().filter(|line| line["reason"] == "malformed_envelope").collect();
    assert_eq!(parked.len(), 3, "each service says it once: {log}");
    for line in &parked {
        assert_eq!((&line["level"], &line["order_id"]), (&"ERROR".into(), &order.as_str().into()));
        assert_eq!(line["message"], "poison: dead-lettered, and its stream parked");
        assert!(line["failure"].is_string(), "{line}");
        assert!(line["partition"].is_number() && line["topic"] == "oms.saga.events", "{line}");
    }
    for line in &lines {
        let known = line["timestamp"].is_string() && line["message"].is_string();
        assert!(known && line["target"].is_string(), "{line}");
        let mut fields = line.as_object().unwrap().keys();
        let strange = fields.find(|name| name.starts_with("otel."));
        assert_eq!(strange, None, "{line}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_of_text_has_the_same() {
    let Seen { order, trace, log } = seen("text").await;
    let retry: Vec<_> = log.lines().filter(|line| line.contains(RETRIES)).collect();
    assert_eq!(retry.len(), 1, "{log}");
    for part in [
        "WARN oms_payment::worker::call: ",
        &format!(" order_id=\"{order}\""),
        " service=\"payment\"",
        " kind=\"capture\"",
    ] {
        assert!(retry[0].contains(part), "{part} in {}", retry[0]);
    }
    assert!(retry[0].ends_with(&format!(" trace_id=\"{trace}\"")), "{}", retry[0]);
    let parked = log.lines().filter(|line| line.contains("reason=\"malformed_envelope\""));
    let parked: Vec<_> = parked.collect();
    assert!(parked.len() == 3 && parked.iter().all(|line| line.contains("ERROR ")), "{log}");
    assert!(!log.contains('\u{1b}'), "a file has no colours: {log}");
}
