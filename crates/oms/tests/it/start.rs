//! How the program ends when it cannot start what it is to run, or not find what it is to use.

use crate::{
    fake::Fake,
    program::{Ended, oms},
};

/// `oms run` on free ports.
fn run(more: &[&str]) -> Ended {
    let listen = [
        "order.grpc.listen",
        "inventory.grpc.listen",
        "payment.grpc.listen",
        "oms.admin.listen",
        "oms.kafka_listen",
    ];
    let set = listen.iter().flat_map(|key| ["--set".to_owned(), format!("{key}=localhost:0")]);
    let set: Vec<String> = set.collect();
    let mut all: Vec<&str> = vec!["run", "--set", "log.level=off"];
    all.extend(set.iter().map(String::as_str).chain(more.iter().copied()));
    Ended::of(&oms(&all))
}

#[test]
fn a_damaged_database_is_a_fault_told_once_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("order.db"), [0xa5; 8_192]).unwrap();
    let ended = run(&["--data", &folder.path().display().to_string()]).exits(5);
    assert_eq!(ended.err.matches("file is not a database").count(), 1, "{}", ended.err);
    assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
    ended.says("order.database.url").says("damaged").says("restore a backup");
}

#[test]
fn what_the_brokers_client_does_not_take_is_a_setting_to_change() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().display().to_string();
    let ended = run(&["--data", &data, "--set", "kafka.properties.no=such"]).exits(2);
    assert!(ended.err.starts_with("oms: kafka.properties.no: "), "{}", ended.err);
}

#[test]
fn a_demo_without_its_broker_says_so_as_every_command_does() {
    Fake::with(async |fake| {
        for scenario in ["run", "refund"] {
            let demo = ["demo", scenario, "--bootstrap", "127.0.0.1:1"];
            let ended = fake.oms(&demo).await.exits(4);
            ended.says("cannot read from 127.0.0.1:1").says("make run").says("--bootstrap");
        }
    });
}
