//! `curl -s http://localhost:9091/metrics | grep oms_saga` after a known mix, and once more after
//! every record of the topic came a second time.

use std::{collections::BTreeMap, time::Duration};

use oms_e2e::{OmsProcess, Ports};
use oms_events::catalogue;
use oms_proto::oms_v1::{OrderStatus, PaymentStatus};
use oms_testkit::{
    Clients, eventually,
    requests::{cancel, item},
};
use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    message::OwnedMessage,
    producer::{FutureProducer, FutureRecord},
    util::Timeout,
};

const TOPIC: &str = "oms.saga.events";
const PATIENCE: Duration = Duration::from_secs(60);
const SERVICES: [&str; 3] = ["order", "inventory", "payment"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_known_mix_adds_up_in_the_running_system_also_when_every_event_comes_twice() {
    let data = tempfile::tempdir().unwrap();
    let ports = Ports::free().unwrap();
    let slow = [("OMS_PAYMENT__GATEWAY__SLOW_MS", "6000")];
    let system = OmsProcess::start_with(data.path(), ports, slow).await.unwrap();
    let [order, inventory, payment] = [ports.order, ports.inventory, ports.payment].map(Ports::at);
    let clients = Clients::connect(order, inventory, payment).await.unwrap();
    assert_eq!(counters(ports).await, [0; 5], "a fresh stack");

    let line = || vec![item("SKU-001", 1, 100)];
    let hasty = clients.buy("hasty", line(), "pm_card_slow").await.unwrap();
    assert_eq!(counters(ports).await, [1, 0, 0, 0, 1], "during the run");
    clients.orders.clone().cancel_order(cancel(&hasty)).await.unwrap();
    for n in 0..8 {
        let order = clients.buy(&format!("fine-{n}"), line(), "").await.unwrap();
        clients.reaches(&order, OrderStatus::Confirmed).await.unwrap();
    }
    for n in 0..2 {
        let order = clients.buy(&format!("poor-{n}"), line(), "pm_card_declined").await.unwrap();
        clients.reaches(&order, OrderStatus::Canceled).await.unwrap();
    }
    // Until the gateway has answered and the money is back.
    eventually(PATIENCE, || async {
        let payment = clients.payment(&hasty).await.map(|payment| payment.status());
        let closed = matches!(payment, Ok(PaymentStatus::Closed));
        Ok(if closed { Ok(()) } else { Err(format!("{payment:?}")) })
    })
    .await
    .unwrap();
    let expected = [11, 8, 2, 1, 0];
    assert_eq!(counters(ports).await, expected);
    // Every event is applied before any comes again.
    let records = everything_said(ports).await;
    let page = saga(ports).await;

    again(ports, records).await;
    assert_eq!(counters(ports).await, expected, "after every event came again");
    assert_eq!(saga(ports).await, page, "nothing else was counted either");
    assert!(system.interrupt(Duration::from_secs(10)).await.unwrap().success());
}

/// What `curl … | grep oms_saga` prints, name and labels by value.
async fn saga(ports: Ports) -> BTreeMap<String, String> {
    let (status, page) = oms_e2e::get(Ports::at(ports.admin), "/metrics").await.unwrap();
    assert_eq!(status, 200);
    let lines = page.lines().filter(|line| line.starts_with("oms_saga"));
    lines
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Started, completed, failed, cancelled and active; the histogram of durations must agree.
async fn counters(ports: Ports) -> [i64; 5] {
    let page = saga(ports).await;
    let all = ["started_total", "completed_total", "failed_total", "canceled_total", "active"];
    let [started, completed, failed, canceled, active] = all.map(|name| {
        let name = format!("oms_saga_{name}");
        page.get(&name).unwrap_or_else(|| panic!("no {name}: {page:#?}")).parse().unwrap()
    });
    assert_eq!(started, completed + failed + canceled + active, "{page:#?}");
    let ended = page.iter().filter(|(name, _)| name.starts_with("oms_saga_duration_seconds_count"));
    let ended: i64 = ended.map(|(_, count)| count.parse::<i64>().unwrap()).sum();
    assert_eq!(ended, completed + failed + canceled, "{page:#?}");
    [started, completed, failed, canceled, active]
}

/// Every record of the topic, once nothing more comes: three services have told and heard all.
async fn everything_said(ports: Ports) -> Vec<OwnedMessage> {
    let mut last = 0;
    eventually(PATIENCE, || {
        let records = tokio::task::block_in_place(|| read(ports));
        let before = std::mem::replace(&mut last, records.len());
        async move {
            let (_, page) = oms_e2e::get(Ports::at(ports.admin), "/metrics").await?;
            let waiting = ["oms_outbox_pending", "oms_consumer_lag"].map(|name| sum(&page, name));
            let (due, done) = (heard(&records), SERVICES.map(|name| handled(&page, name)));
            let quiet = waiting == [0, 0] && before == records.len() && due == done && before > 0;
            let open = format!("{waiting:?} wait, {done:?} of {due:?} are handled");
            Ok(if quiet { Ok(records) } else { Err(open) })
        }
    })
    .await
    .unwrap()
}

/// How many events each service has to hear of these records, however often an event is among them.
fn heard(records: &[OwnedMessage]) -> [i64; 3] {
    let mut events = BTreeMap::new();
    for record in records {
        let event: serde_json::Value = serde_json::from_slice(record.payload().unwrap()).unwrap();
        let [id, event_type] = ["id", "type"].map(|key| event[key].as_str().unwrap().to_owned());
        events.insert(id, event_type);
    }
    SERVICES.map(|service| {
        let hears = |event_type: &&String| {
            let entry = catalogue().into_iter().find(|entry| entry.event_type == **event_type);
            entry.unwrap().listeners.iter().any(|listener| listener.name() == service)
        };
        i64::try_from(events.values().filter(hears).count()).unwrap()
    })
}

fn read(ports: Ports) -> Vec<OwnedMessage> {
    let reader: BaseConsumer = client(ports).set("group.id", "observer").create().unwrap();
    let topic = reader.fetch_metadata(Some(TOPIC), PATIENCE).unwrap();
    let mut places = TopicPartitionList::new();
    let mut left = 0;
    for partition in topic.topics()[0].partitions() {
        let (low, high) = reader.fetch_watermarks(TOPIC, partition.id(), PATIENCE).unwrap();
        left += high - low;
        places.add_partition_offset(TOPIC, partition.id(), Offset::Offset(low)).unwrap();
    }
    reader.assign(&places).unwrap();
    let mut records = Vec::new();
    while records.len() < usize::try_from(left).unwrap() {
        let record = reader.poll(PATIENCE).expect("a record that is there").unwrap();
        records.push(record.detach());
    }
    records
}

/// Says every record once more, word by word, and waits until each service has met all it knew.
async fn again(ports: Ports, records: Vec<OwnedMessage>) {
    let (_, page) = oms_e2e::get(Ports::at(ports.admin), "/metrics").await.unwrap();
    let handled = SERVICES.map(|name| handled(&page, name));
    assert!(handled.iter().all(|count| *count > 0), "{handled:?}");
    let producer: FutureProducer = client(ports).create().unwrap();
    for record in &records {
        let same = FutureRecord {
            topic: record.topic(),
            partition: Some(record.partition()),
            payload: record.payload(),
            key: record.key(),
            timestamp: None,
            headers: record.headers().cloned(),
        };
        producer.send(same, Timeout::After(PATIENCE)).await.unwrap();
    }
    eventually(PATIENCE, || async {
        let (_, page) = oms_e2e::get(Ports::at(ports.admin), "/metrics").await?;
        let met = SERVICES
            .map(|name| sum(&page, &format!("oms_inbox_duplicates_total{{service=\"{name}\"}}")));
        let all = met.iter().zip(&handled).all(|(met, handled)| met >= handled);
        Ok(if all { Ok(()) } else { Err(format!("{met:?} of {handled:?} came again")) })
    })
    .await
    .unwrap();
}

fn handled(page: &str, service: &str) -> i64 {
    let of = |outcome| {
        let labels = format!("service=\"{service}\",outcome=\"{outcome}\"");
        sum(page, &format!("oms_events_handled_total{{{labels}}}"))
    };
    of("moved") + of("already")
}

/// All lines of a metric, whose labels may be named.
fn sum(page: &str, name: &str) -> i64 {
    let lines = page.lines().filter_map(|line| line.strip_prefix(name));
    let values = lines.filter(|rest| rest.starts_with([' ', '{']));
    values.map(|rest| rest.rsplit(' ').next().unwrap().parse::<i64>().unwrap()).sum()
}

fn client(ports: Ports) -> ClientConfig {
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", Ports::at(ports.kafka).to_string());
    client
}
