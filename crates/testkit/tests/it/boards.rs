//! What boards and alerts name exists in the running system, and every alert has its runbook and
//! its test.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use oms_testkit::{Branch, Name, Stack, StackOptions};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn text(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

const RULES: &str = "deploy/prometheus/rules/oms.yaml";

/// Every word of a text that is the name of a metric of ours, without the endings that OpenMetrics
/// adds to the name of a family.
fn families(text: &str) -> BTreeSet<String> {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let words = text.split(|c| !word(c)).filter(|name| name.starts_with("oms_"));
    words.map(|name| family(name).to_owned()).collect()
}

fn family(name: &str) -> &str {
    ["_total", "_bucket", "_count", "_sum", "_info"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .unwrap_or(name)
}

fn boards() -> Vec<PathBuf> {
    let folder = fs::read_dir(repository().join("deploy/grafana/boards")).unwrap();
    folder.map(|entry| entry.unwrap().path()).collect()
}

/// The alerts by name.
fn alerts() -> Vec<String> {
    let rules = text(RULES);
    let named = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
    named.map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_metric_that_a_board_or_an_alert_names_exists() {
    let stack = Stack::with(StackOptions::default()).await.unwrap();
    let clients = stack.clients().await.unwrap();
    for branch in [Branch::Paid, Branch::Declined] {
        branch.play(&clients, &format!("{branch:?}")).await.unwrap();
    }
    stack.rest().await.unwrap();
    let mut exist = BTreeSet::new();
    for name in [Name::Order, Name::Inventory, Name::Payment] {
        let page = stack.metrics(name).await.unwrap();
        let declared = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        exist.extend(declared.filter_map(|line| line.split(' ').next()).map(str::to_owned));
    }
    // These have a series for each reason, the first with the first failure.
    exist.extend(["oms_dlq_messages", "oms_consumer_retries"].map(str::to_owned));
    let mut named = families(&text(RULES));
    for board in boards() {
        let board = fs::read_to_string(board).unwrap();
        let read: serde_json::Value = serde_json::from_str(&board).unwrap();
        assert!(read["panels"].as_array().is_some_and(|panels| panels.len() > 5));
        named.extend(families(&board));
    }
    let missing: Vec<_> = named.difference(&exist).collect();
    assert!(named.len() > 20 && missing.is_empty(), "{missing:?} of {named:?} not in {exist:?}");
    stack.finish().await.unwrap();
}

#[test]
fn every_alert_has_a_runbook_and_a_test() {
    let (operations, tests) =
        (text("docs/operations.md"), text("deploy/prometheus/tests/oms.yaml"));
    let rules = text(RULES);
    let alerts = alerts();
    assert!(alerts.len() > 8, "{alerts:?}");
    for alert in alerts {
        assert!(operations.contains(&format!("\n### {alert}\n")), "{alert} has no runbook");
        let anchor = format!("runbook: docs/operations.md#{}\n", alert.to_lowercase());
        assert!(rules.contains(&anchor), "{alert} does not name its runbook");
        let fires = format!("alertname: {alert}\n        exp_alerts:");
        let silent = format!("alertname: {alert}\n      - eval_time");
        assert!(tests.contains(&fires) && tests.contains(&silent), "{alert} has no test");
    }
}

#[test]
fn names_in_texts_are_those_of_families() {
    let named = families("rate(oms_saga_started_total[5m]) / oms_outbox_pending{a=\"b\"} OmsX");
    let expected = ["oms_outbox_pending", "oms_saga_started"].map(str::to_owned);
    assert_eq!(named, BTreeSet::from(expected));
}
