//! The compose file: its schema, images, mounts, ports, and settings.

use std::{collections::BTreeSet, fs};

use anyhow::Context;
use serde_json::Value;
use tokio::process::Command;

use super::{environment, policy, report::Report, tools};
use crate::tree;

const FILE: &str = "docker-compose.yml";
/// Every port that people are told of, as docs/operations.md lists them.
const PORTS: [&str; 13] = [
    "3000", "4317", "5001", "5432", "8080", "9091", "9092", "9191", "9291", "16686", "50051",
    "50052", "50053",
];
/// Services that have ended when the others begin: nothing is to be asked of them.
const ONCE: &str = "service_completed_successfully";

/// What is wrong with the compose file.
pub(super) fn check() -> anyhow::Result<Vec<String>> {
    let text = fs::read_to_string(tree::root().join(FILE)).context(FILE)?;
    let file: Value = serde_saphyr::from_str(&text).context(FILE)?;
    Ok(violations(&file, |path| tree::root().join(path).exists()))
}

/// What the reference implementation says of it.
pub(super) async fn check_schema(report: &mut Report) {
    match tools::COMPOSE.program().await {
        Ok(reader) => {
            let mut read = Command::new(reader);
            read.arg(FILE).current_dir(tree::root());
            let refused = tools::run(read).await.err();
            report.add("compose schema", refused.map(|error| error.to_string()));
        }
        Err(why) => report.skip("compose schema", &why),
    }
}

/// What is wrong with a compose file; `exists` tells of the files it mounts.
fn violations(file: &Value, exists: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    let services = file["services"].as_object().into_iter().flatten();
    let mut ports = BTreeSet::new();
    for (name, service) in services {
        let mut say = |what: String| found.push(format!("{name}: {what}"));
        let image = service["image"].as_str().unwrap_or_default();
        if !policy::is_pinned(image) {
            say(format!("the image {image:?} is not pinned"));
        }
        for key in ["mem_limit", "restart"] {
            if service[key].is_null() {
                say(format!("no {key}"));
            }
        }
        mounts(service, file).filter(|path| !exists(path)).for_each(|path| {
            say(format!("mounts {path}, which is not there"));
        });
        for port in texts(&service["ports"]) {
            let published = port.strip_prefix("127.0.0.1:").and_then(|rest| rest.split_once(':'));
            match published {
                Some((published, _)) => drop(ports.insert(published.to_owned())),
                None => say(format!("{port} is not on the loopback alone")),
            }
        }
        dependencies(service, file).into_iter().for_each(&mut say);
        profiles(service).into_iter().for_each(&mut say);
        let binary = service["entrypoint"][0].as_str().unwrap_or_default();
        environment::violations(binary, variables(service)).into_iter().for_each(&mut say);
    }
    let expected: BTreeSet<String> = PORTS.map(str::to_owned).into();
    for port in expected.symmetric_difference(&ports) {
        found.push(format!("port {port} is published or told of, and not both"));
    }
    found
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// The files and folders of the repository that are mounted, and volumes nobody declares.
fn mounts<'a>(service: &'a Value, file: &'a Value) -> impl Iterator<Item = &'a str> {
    texts(&service["volumes"])
        .filter_map(|mount| mount.split(':').next())
        .filter(|from| from.starts_with('.') || file["volumes"].get(from).is_none())
}

/// Whom it waits for is there, and can say that it is well.
fn dependencies(service: &Value, file: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (other, how) in service["depends_on"].as_object().into_iter().flatten() {
        let other_service = &file["services"][other];
        let condition = how["condition"].as_str().unwrap_or_default();
        if other_service.is_null() {
            found.push(format!("waits for {other}, which is not there"));
        } else if condition != ONCE && other_service["healthcheck"].is_null() {
            found.push(format!("waits for {other}, which has no health check"));
        }
    }
    found
}

/// Whoever is in the small arrangement is in the large one, too.
fn profiles(service: &Value) -> Option<String> {
    let profiles: Vec<&str> = texts(&service["profiles"]).collect();
    let fits = profiles == ["full"] || profiles == ["minimal", "full"];
    (!fits).then(|| format!("the profiles {profiles:?}"))
}

fn variables(service: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let all = service["environment"].as_object().into_iter().flatten();
    all.map(|(name, value)| (name.clone(), text(value))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn good() -> Value {
        let ports: Vec<String> = PORTS.iter().map(|port| format!("127.0.0.1:{port}:1")).collect();
        json!({
            "services": { "order": {
                "image": "oms:0.1.0", "entrypoint": ["oms-order"], "mem_limit": "1m",
                "restart": "no", "profiles": ["minimal", "full"], "ports": ports,
                "volumes": ["./there:/a:ro", "data:/b"],
                "environment": { "OMS_ORDER__WATCHERS_MAX": 7 },
                "depends_on": { "order": { "condition": "service_healthy" } },
                "healthcheck": {},
            } },
            "volumes": { "data": null },
        })
    }

    fn said(path: &str, value: Value) -> Vec<String> {
        let mut file = good();
        if let Some(order) = file["services"]["order"].as_object_mut() {
            order.insert(path.to_owned(), value);
        }
        violations(&file, |path| path == "./there")
    }

    #[test]
    fn nothing_is_said_against_a_good_file() {
        assert_eq!(said("image", json!("oms:0.1.0")), Vec::<String>::new());
    }

    #[test]
    fn each_fault_is_found() {
        for (key, value, findings) in [
            ("image", json!("oms"), 1),
            ("mem_limit", Value::Null, 1),
            ("volumes", json!(["./gone:/a"]), 1),
            ("volumes", json!(["nobody:/a"]), 1),
            ("profiles", json!(["minimal"]), 1),
            ("environment", json!({ "OMS_ORDER__WATCHERS": 7 }), 1),
            ("depends_on", json!({ "ghost": { "condition": "service_started" } }), 1),
            ("healthcheck", Value::Null, 1),
            ("ports", json!(["50051:50051"]), 1 + PORTS.len()),
        ] {
            assert_eq!(said(key, value.clone()).len(), findings, "{key}: {value}");
        }
    }
}
