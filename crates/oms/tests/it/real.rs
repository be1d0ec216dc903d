//! The commands against the real services, all in one process of the same program.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Stdio},
};

use serde_json::{Value, json};

use crate::program::{Ended, command};

/// A running system on free ports in a scratch folder.
pub(crate) struct System {
    child: Child,
    variables: Vec<(&'static str, String)>,
    says_whom_to_trust: bool,
    folder: tempfile::TempDir,
}

impl System {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut run = command(&["run", "--data", &folder.path().display().to_string()]);
        for setting in [
            "order.grpc.listen",
            "order.orders.listen",
            "inventory.grpc.listen",
            "payment.grpc.listen",
            "oms.admin.listen",
            "oms.kafka_listen",
        ] {
            run.args(["--set", &format!("{setting}=localhost:0")]);
        }
        let child = run.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        // Whatever happens from here on, the child is ended.
        let mut system = Self { child, variables: Vec::new(), says_whom_to_trust: false, folder };
        system.read_the_banner();
        system
    }

    /// The banner names every address; "ready" follows it.
    fn read_the_banner(&mut self) {
        let out = self.child.stdout.take().unwrap();
        for line in BufReader::new(out).lines() {
            let line = line.unwrap();
            if line == "ready" {
                assert_eq!(self.variables.len(), 5, "{:?}", self.variables);
                assert!(self.says_whom_to_trust, "the local CA is not told");
                return;
            }
            if line.contains("grpcurl -cacert") {
                let authority = self.folder.path().join("tls/ca.pem");
                assert!(line.contains(&authority.display().to_string()), "{line}");
                let pem = std::fs::read_to_string(authority).unwrap();
                assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"), "{pem}");
                self.says_whom_to_trust = true;
            }
            let place = line.split_whitespace().last().unwrap_or_default();
            for (what, variable) in [
                ("oms.v1.OrderService", "OMS_ORDER_ADDR"),
                ("oms.v1.InventoryService", "OMS_INVENTORY_ADDR"),
                ("oms.v1.PaymentService", "OMS_PAYMENT_ADDR"),
                ("Kafka, topic", "OMS_BOOTSTRAP"),
                ("metrics and health", "OMS_ADMIN_ADDR"),
            ] {
                if line.trim_start().starts_with(what) {
                    self.variables.push((variable, place.to_owned()));
                }
            }
        }
        panic!("the system did not become ready");
    }

    pub(crate) fn oms(&self, arguments: &[&str]) -> Ended {
        let mut command = command(arguments);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        Ended::of(&command.output().unwrap())
    }

    /// The same with a text on standard input.
    fn oms_reads(&self, arguments: &[&str], text: &str) -> Ended {
        let path = self.folder.path().join("input");
        std::fs::write(&path, text).unwrap();
        let mut command = command(arguments);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        Ended::of(&command.stdin(std::fs::File::open(&path).unwrap()).output().unwrap())
    }

    /// Where something of it listens, by the variable that names it to the program.
    pub(crate) fn address(&self, variable: &str) -> &str {
        let found = self.variables.iter().find(|(name, _)| *name == variable);
        found.map(|(_, place)| place.as_str()).expect("the banner names it")
    }

    fn file(&self, text: &str) -> String {
        let path = self.folder.path().join("delivery.csv");
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}

impl Drop for System {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn stock_payments_events_and_the_demo_work_on_the_real_system() {
    let system = System::start();
    stock_is_received_adjusted_and_listed(&system);
    imports_are_checked_first_and_never_booked_twice(&system);
    let order = an_order_is_paid_and_its_money_shown(&system);
    its_events_are_shown_and_filtered(&system, &order);
    an_order_is_watched_shipped_and_found_by_its_reference(&system);
    a_load_of_every_kind_settles_and_agrees(&system);
    for scenario in ["run", "refund"] {
        let played = system.oms(&["demo", scenario]).exits(0);
        assert!(played.out.contains(", 0 broken"), "{}", played.out);
    }
}

fn available(system: &System, sku: &str) -> String {
    let stock = system.oms(&["stock", "show", sku, "--json"]).exits(0).json();
    stock["stock"]["available"].as_str().unwrap_or("0").to_owned()
}

fn stock_is_received_adjusted_and_listed(system: &System) {
    let receive = ["stock", "receive", "SKU-NEW", "5", "--key", "delivery-1"];
    system.oms(&receive).exits(0);
    system.oms(&receive).exits(0);
    assert_eq!(available(system, "SKU-NEW"), "5", "the same key is the same delivery");
    system.oms(&["stock", "adjust", "SKU-NEW", "-2", "--reason", "broken"]).exits(0);
    assert_eq!(available(system, "SKU-NEW"), "3");
    system.oms(&["stock", "adjust", "SKU-NEW", "-4"]).exits(1);
    system.oms(&["stock", "show", "SKU-NOWHERE"]).exits(3).says("oms stock list");
    let all = system.oms(&["stock", "list", "--limit", "1000", "--json"]).exits(0).json();
    assert_eq!(all["stock"].as_array().unwrap().len(), 66);
    let few = system.oms(&["stock", "list", "--limit", "3"]).exits(0);
    assert!(few.out.contains("--page-token"), "{}", few.out);
}

fn imports_are_checked_first_and_never_booked_twice(system: &System) {
    let wrong = system.file("sku,qty\nSKU-IMP,5\n,7\nSKU-IMP-2,-1\n");
    let refused = system.oms(&["stock", "import", &wrong]).exits(2);
    for line in ["line 3: sku is required", "line 4: qty \"-1\"", "nothing was booked"] {
        assert!(refused.err.contains(line), "{line}: {}", refused.err);
    }
    system.oms(&["stock", "show", "SKU-IMP"]).exits(3);
    let file = system.file("sku,qty,note\nSKU-IMP,5,first\nSKU-IMP-2,0,\n");
    let dry = system.oms(&["stock", "import", &file, "--dry-run"]).exits(0);
    assert!(dry.out.contains("would be booked"), "{}", dry.out);
    system.oms(&["stock", "show", "SKU-IMP"]).exits(3);
    let first = system.oms(&["stock", "import", &file]).exits(0);
    assert!(first.out.contains("1 SKU, 5 units booked"), "{}", first.out);
    let again = system.oms(&["stock", "import", &file]).exits(0);
    assert!(again.out.contains("nothing new: batch delivery.csv has already"), "{}", again.out);
    assert_eq!(available(system, "SKU-IMP"), "5");
    let file = system.file("sku,qty,note\nSKU-IMP,5,first\nSKU-IMP-3,2,\n");
    let mixed = system.oms(&["stock", "import", &file, "--json"]).exits(0).json();
    assert_eq!(mixed["booked"], json!({ "skus": 1, "units": "2" }));
    assert_eq!(mixed["already_booked"], json!({ "skus": 1, "units": "5" }));
    assert_eq!(mixed["lines"][0]["outcome"], "already_booked");
    let piped = ["stock", "import", "-", "--batch", "piped"];
    let piped = system.oms_reads(&piped, "sku,qty\nSKU-IMP-3,1\n").exits(0);
    assert!(piped.out.contains("1 SKU, 1 unit booked"), "{}", piped.out);
    assert_eq!(available(system, "SKU-IMP-3"), "3");
    let file = system.file("sku,qty,note\nSKU-IMP,6,first\n");
    system.oms(&["stock", "import", &file]).exits(2).says("name another --batch");
    system.oms(&["stock", "import", &file, "--batch", "second"]).exits(0);
    assert_eq!(available(system, "SKU-IMP"), "11");
}

fn an_order_is_paid_and_its_money_shown(system: &System) -> String {
    let create = ["order", "create", "--customer", "c", "--item", "SKU-001:2@100", "--quiet"];
    let order = system.oms(&create).exits(0).out.trim().to_owned();
    system.oms(&["order", "refund", &order]).exits(1).says("ORDER_NOT_REFUNDABLE");
    system.oms(&["payment", "show", &order]).exits(3);
    system.oms(&["order", "pay", &order]).exits(0);
    // Ends when the order is confirmed, because that is the event waited for.
    let confirmed = ["events", "tail", "--order", &order, "--from-beginning", "--limit", "1"];
    let confirmed = [&confirmed[..], &["--type", "order.confirmed", "--json"]].concat();
    let event = system.oms(&confirmed).exits(0).json();
    assert_eq!(event["event"]["subject"], order.as_str());
    let payment = system.oms(&["payment", "show", &order]).exits(0);
    assert!(payment.out.contains("200.00 USD"), "{}", payment.out);
    let payments = system.oms(&["payment", "list", "--json"]).exits(0).json();
    assert_eq!(payments["payments"][0]["captured_minor"], "20000");
    system.oms(&["order", "pay", &order]).exits(1).says("ORDER_NOT_PENDING");
    order
}

fn an_order_is_watched_shipped_and_found_by_its_reference(system: &System) {
    let create = ["order", "create", "--customer", "c", "--item", "SKU-002@10", "--pay", "--wait"];
    let create = [&create[..], &["--reference", "web-1", "--json"]].concat();
    let order = system.oms(&create).exits(0).json()["order"]["id"].as_str().unwrap().to_owned();
    system.oms(&["order", "complete", &order]).exits(1).says("oms order show");
    system.oms(&["order", "ship", &order]).exits(0);
    system.oms(&["order", "complete", &order]).exits(0);
    system.oms(&["order", "wait", &order, "--until", "ended"]).exits(0);
    let watched = system.oms(&["order", "watch", &order]).exits(0).out;
    for status in ["reserved", "paid", "confirmed", "shipped", "completed"] {
        assert_eq!(watched.matches(&format!("status={status}")).count(), 1, "{watched}");
    }
    let found = ["order", "list", "--reference", "web-1", "--status", "completed", "--json"];
    let found = system.oms(&found).exits(0).json();
    assert_eq!(found["orders"][0]["id"], order.as_str());
}

fn a_load_of_every_kind_settles_and_agrees(system: &System) {
    let mix = "--mix=ok=6,declined=4,out-of-stock=4,cancel=4,refund=2";
    let load = ["load", "--clients", "4", "--requests", "20", mix, "--json"];
    let report = system.oms(&load).exits(0).json();
    assert_eq!(report["money_and_stock_agree"], true, "{report}");
    assert_eq!(report["orders"]["as_they_should"], 20, "{report}");
}

fn its_events_are_shown_and_filtered(system: &System, order: &str) {
    let tail = |more: &[&str]| {
        let arguments = ["events", "tail", "--order", order, "--no-follow", "--json"];
        let seen = system.oms(&[&arguments[..], more].concat()).exits(0).out;
        let types = seen.lines().map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            line["event"]["type"].as_str().unwrap().to_owned()
        });
        types.collect::<Vec<_>>()
    };
    let story = ["created", "submitted", "reserved", "captured", "confirmed"];
    let all = tail(&[]);
    for (event_type, word) in all.iter().zip(story) {
        assert!(event_type.contains(word), "{all:?}");
    }
    assert_eq!(all.len(), story.len(), "{all:?}");
    assert_eq!(tail(&["--type", "oms.payment"]), ["oms.payment.captured.v1"]);
    assert_eq!(tail(&["--type", "*.reserved.*"]), ["oms.inventory.reserved.v1"]);
    assert_eq!(tail(&["--source", "order"]).len(), 3);
    assert_eq!(tail(&["--since", "1h"]).len(), 5);
    assert_eq!(tail(&["--since", "2100-01-01T00:00:00Z"]), Vec::<String>::new());
    let plain = system.oms(&["events", "tail", "--order", order, "--no-follow"]).exits(0).out;
    assert!(plain.lines().all(|line| line.contains(order)), "{plain}");
    let nobody = ["events", "tail", "--bootstrap", "127.0.0.1:1", "--no-follow"];
    system.oms(&nobody).exits(4).says("make run");
    let nowhere = ["events", "tail", "--topic", "oms.saga.event", "--no-follow"];
    for _ in 0..2 {
        let nowhere = system.oms(&nowhere).exits(3);
        nowhere.says("there is no topic oms.saga.event at").says("oms.saga.events");
    }
    let other = "0199aaaa-0000-7000-8000-000000000001";
    let none = ["events", "tail", "--order", other, "--no-follow"];
    system.oms(&none).exits(0).says("none of them is as asked for");
}
