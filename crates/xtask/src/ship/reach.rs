//! What a pod is told to call, its NetworkPolicies must let it reach.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    chart,
    objects::{Objects, Pod},
    policy,
};

/// Where a URL of PostgreSQL names no port.
const POSTGRESQL: u64 = 5432;
/// Arguments that name whom to call.
const ARGUMENTS: [&str; 4] =
    ["--bootstrap=", "--order-addr=", "--inventory-addr=", "--payment-addr="];

/// Addresses that the pod is told of, and may not reach.
pub(super) fn closed(pod: &Pod<'_>, objects: &Objects) -> Vec<String> {
    let policies = policy::policies(pod, objects);
    let rules = || policies.iter().flat_map(|policy| list(&policy["spec"]["egress"]));
    // A rule without ports is one for all of them.
    let opens = |port: u64| {
        rules().any(|rule| {
            let mut ports = list(&rule["ports"]).peekable();
            ports.peek().is_none() || ports.any(|one| one["port"] == port)
        })
    };
    let mut wanted = BTreeSet::new();
    for container in pod.containers() {
        for (name, value) in chart::variables(container, objects) {
            wanted.extend(ports(&name, &value));
        }
        for argument in list(&container["args"]).filter_map(Value::as_str) {
            let named = ARGUMENTS.iter().find_map(|flag| argument.strip_prefix(flag));
            wanted.extend(named.into_iter().flat_map(addresses));
        }
    }
    let closed = wanted.into_iter().filter(|port| !opens(*port));
    closed.map(|port| format!("calls port {port}, which no NetworkPolicy opens")).collect()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The ports that a variable names for calls out.
fn ports(name: &str, value: &str) -> Vec<u64> {
    if name.ends_with("__BOOTSTRAP") || name.ends_with("__ENDPOINT") {
        return addresses(value).collect();
    }
    let Some(rest) = value.strip_prefix("postgres://").filter(|_| name.ends_with("__URL")) else {
        return Vec::new();
    };
    let authority = rest.split('/').next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    vec![addresses(host).next().unwrap_or(POSTGRESQL)]
}

/// The ports of addresses that are separated by commas.
fn addresses(text: &str) -> impl Iterator<Item = u64> {
    text.split(',').filter_map(|one| one.rsplit_once(':')?.1.parse().ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ports_are_found_in_what_a_service_is_told() {
        assert_eq!(ports("OMS_KAFKA__BOOTSTRAP", "a:9092,b:9093"), [9092, 9093]);
        assert_eq!(ports("OMS_TRACES__ENDPOINT", "http://c:4317"), [4317]);
        assert_eq!(ports("OMS_ORDER__DATABASE__URL", "postgres://u:p@h/d"), [5432]);
        assert_eq!(ports("OMS_ORDER__DATABASE__URL", "postgres://u:p@h:6432/d"), [6432]);
        assert_eq!(ports("OMS_ORDER__GRPC__LISTEN", "0.0.0.0:50051"), [0; 0]);
    }

    #[test]
    fn an_address_behind_a_closed_port_is_found() {
        let container = json!({
            "args": ["--bootstrap=kafka:9092"],
            "env": [{ "name": "OMS_TRACES__ENDPOINT", "value": "http://c:4317" }],
        });
        let pod = json!({
            "kind": "Pod", "metadata": { "name": "a", "labels": { "app": "a" } },
            "spec": { "containers": [container] },
        });
        let policy = |ports: Value| {
            json!({ "kind": "NetworkPolicy", "metadata": { "name": "a" }, "spec": {
                "podSelector": { "matchLabels": { "app": "a" } },
                "egress": [{ "ports": ports }] } })
        };
        let said = |ports: Value| {
            let objects = Objects(vec![pod.clone(), policy(ports)]);
            closed(&objects.pods().next().unwrap(), &objects).len()
        };
        assert_eq!(said(json!([{ "port": 9092 }, { "port": 4317 }])), 0);
        assert_eq!(said(Value::Null), 0, "every port");
        assert_eq!(said(json!([{ "port": 9092 }])), 1);
        assert_eq!(said(json!([{ "port": 1 }])), 2);
    }
}
