//! `oms explain` and the road of `oms order show`, against the real services.

use std::time::{Duration, Instant};

use oms_messaging::{KafkaLog, KafkaSettings, Log, Record};
use serde_json::Value;

use crate::real::System;

/// Longer than anything here takes; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

fn create(system: &System, more: &[&str]) -> String {
    let create = ["order", "create", "--customer", "c", "--item", "SKU-001@10", "--quiet"];
    system.oms(&[&create, more].concat()).exits(0).out.trim().to_owned()
}

/// The explanation, once its causes are as they should be.
fn explained(system: &System, order: &str, holds: impl Fn(&[String]) -> bool) -> Value {
    let until = Instant::now() + PATIENCE;
    loop {
        let told = system.oms(&["explain", order, "--json"]).exits(0).json();
        let causes = told["causes"].as_array().cloned().unwrap_or_default();
        let causes: Vec<String> =
            causes.iter().map(|cause| cause["what"].as_str().unwrap().to_owned()).collect();
        if holds(&causes) {
            return told;
        }
        assert!(Instant::now() < until, "{told:#}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn an_order_is_explained_while_it_waits_and_when_it_is_through() {
    let system = System::start();
    let order = create(&system, &[]);
    system.oms(&["order", "pay", &order, "--method", "pm_card_slow"]).exits(0);
    explained(&system, &order, |causes| {
        causes.iter().any(|cause| cause.starts_with("the gateway owes payment the outcome"))
    });
    system.oms(&["order", "wait", &order]).exits(0);
    let told = explained(&system, &order, <[String]>::is_empty);
    assert_eq!(told["services"].as_array().unwrap().len(), 3, "{told:#}");
    let page = system.oms(&["explain", &order]).exits(0).out;
    assert!(page.contains("nothing is owed, and nothing waits"), "{page}");
    let shown = system.oms(&["order", "show", &order]).exits(0).out;
    for told in ["HEARD BY", "order.submitted", "inventory.reserved", "payment +", "trace"] {
        assert!(shown.contains(told), "{told} is missing in\n{shown}");
    }
}

#[test]
fn a_parked_event_is_named_as_the_cause() {
    let system = System::start();
    let order = create(&system, &[]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let settings = KafkaSettings::embedded(system.address("OMS_BOOTSTRAP"));
        let record = Record {
            topic: oms_events::TOPIC.to_owned(),
            key: Some(order.as_bytes().to_vec()),
            payload: b"{}".to_vec(),
            headers: Vec::new(),
        };
        let reports = KafkaLog::new(&settings).unwrap().publish(vec![record]).await;
        assert!(reports.iter().all(Result::is_ok), "{reports:?}");
    });
    let parked = "could not apply a record and parked it: malformed_envelope";
    explained(&system, &order, |causes| causes.iter().any(|cause| cause.contains(parked)));
    let page = system.oms(&["explain", &order]).exits(0).out;
    assert!(page.contains("oms dlq show inventory 1"), "{page}");
}

#[test]
fn what_nobody_knows_and_what_cannot_be_asked_have_exit_codes() {
    let system = System::start();
    let unknown = "0199aaaa-0000-7000-8000-000000000000";
    let ended = system.oms(&["explain", unknown]).exits(3);
    assert!(ended.err.contains("no service that answers knows"), "{}", ended.err);
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = free.to_string();
    system.oms(&["explain", unknown, "--admin-addr", &nobody]).exits(4);
    // One that answers is enough.
    let both = format!("{nobody},{}", system.address("OMS_ADMIN_ADDR"));
    system.oms(&["explain", unknown, "--admin-addr", &both]).exits(3);
}
