//! `oms dlq` against the real services: an order that somebody poisoned, from the first look to
//! its good end.

use std::time::{Duration, Instant};

use oms_messaging::{KafkaLog, KafkaSettings, Log, Record};
use serde_json::Value;

use crate::real::System;

/// Longer than parking takes; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Puts what is no event onto the topic, in the name of a real order.
fn poison(system: &System, order: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let reports = runtime.block_on(async {
        let bootstrap = system.address("OMS_BOOTSTRAP");
        let log = KafkaLog::new(&KafkaSettings::embedded(bootstrap)).unwrap();
        let record = Record {
            topic: oms_events::TOPIC.to_owned(),
            key: Some(order.as_bytes().to_vec()),
            payload: b"{ \"this\": \"is no event\" }".to_vec(),
            headers: Vec::new(),
        };
        log.publish(vec![record]).await
    });
    assert!(reports.iter().all(Result::is_ok), "{reports:?}");
}

/// The letters that a filter selects, once there are so many.
fn letters(system: &System, filter: &[&str], count: usize) -> Vec<Value> {
    let until = Instant::now() + PATIENCE;
    let list = [&["dlq", "list", "--json"], filter].concat();
    loop {
        let found = system.oms(&list).exits(0).json();
        let found = found["dead_letters"].as_array().cloned().unwrap_or_default();
        if found.len() == count {
            return found;
        }
        assert!(Instant::now() < until, "{count} letters wanted: {found:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn services(letters: &[Value]) -> Vec<&str> {
    letters.iter().map(|letter| letter["service"].as_str().unwrap()).collect()
}

fn create(system: &System) -> String {
    let create = ["order", "create", "--customer", "c", "--item", "SKU-001@10", "--quiet"];
    system.oms(&create).exits(0).out.trim().to_owned()
}

#[test]
fn a_poisoned_order_is_looked_at_redriven_discarded_and_ends_well() {
    let system = System::start();
    let order = create(&system);
    poison(&system, &order);
    let of_order = ["--order", &order];
    let malformed = [&of_order[..], &["--reason", "malformed_envelope"]].concat();
    let poisoned = letters(&system, &malformed, 3);
    assert_eq!(services(&poisoned), ["inventory", "order", "payment"]);

    // What the order says from now on waits behind it, and other orders go on.
    system.oms(&["order", "pay", &order]).exits(0);
    let waiting = ["--reason", "parked_behind", "--service", "inventory"];
    let waiting = letters(&system, &[&of_order[..], &waiting].concat(), 1);
    assert_eq!(waiting[0]["event_type"], "oms.order.submitted.v1");
    let other = ["order", "create", "--customer", "o", "--item", "SKU-001@10", "--pay", "--wait"];
    system.oms(&other).exits(0);

    let id = poisoned[0]["id"].as_str().unwrap();
    let shown = system.oms(&["dlq", "show", "inventory", id]).exits(0).out;
    for word in ["is no event", "malformed_envelope", "behind it  1", &order] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    system.oms(&["dlq", "show", "inventory", "999"]).exits(3).says("oms dlq list");

    // It cannot be mended: whoever redrives it is told so.
    let redrive = [&["dlq", "redrive"], &of_order[..]].concat();
    system.oms(&[&redrive[..], &["--dry-run"]].concat()).exits(1).says("would fail again");
    let failed = system.oms(&[&redrive[..], &["--json"]].concat()).exits(1).says("oms dlq show");
    let results = failed.json()["results"].as_array().unwrap().clone();
    assert_eq!(results.len(), 3, "{results:?}");
    for result in &results {
        assert_eq!(result["outcome"], "DEAD_LETTER_OUTCOME_FAILED", "{result}");
        assert_eq!(result["failure_code"], "malformed_envelope", "{result}");
    }

    it_is_discarded_and_the_order_goes_on(&system, &order, &malformed);
}

fn it_is_discarded_and_the_order_goes_on(system: &System, order: &str, malformed: &[&str]) {
    let discard = [&["dlq", "discard", "--note", "no event at all"], malformed].concat();
    system.oms(&discard).exits(2).says("3 letters match").says("--yes");
    letters(system, malformed, 3);
    system.oms(&[&discard[..], &["--yes"]].concat()).exits(0);
    letters(system, malformed, 0);
    let redrive = ["dlq", "redrive", "--order", order, "--note", "the garbage is gone"];
    system.oms(&redrive).exits(0);
    system.oms(&["order", "wait", order, "--until", "confirmed"]).exits(0);
    letters(system, &[], 0);
    let none = system.oms(&["dlq", "list"]).exits(0).out;
    assert!(none.contains("no dead letter matches"), "{none}");

    // Three services gave the same record up, and inventory applied what had waited behind it.
    let until = Instant::now() + PATIENCE;
    loop {
        let shown = system.oms(&["order", "show", order, "--json"]).exits(0).json();
        let timeline = shown["timeline"].as_array().unwrap().clone();
        let told = |word: &str, service: &str| {
            timeline.iter().any(|entry| {
                let details: Value =
                    serde_json::from_str(entry["payload"].as_str().unwrap()).unwrap();
                entry["event_type"] == word && details["service"] == service
            })
        };
        let discarded =
            ["order", "inventory", "payment"].iter().all(|name| told("EventDiscarded", name));
        if discarded && told("EventRedriven", "inventory") {
            return;
        }
        assert!(Instant::now() < until, "{timeline:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
