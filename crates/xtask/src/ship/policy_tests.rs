use serde_json::json;

use super::*;

/// A pod against which nothing can be said, with what it needs.
fn good() -> Objects {
    let pod = json!({
        "kind": "Deployment", "metadata": { "name": "a" },
        "spec": { "template": { "metadata": { "labels": { "app": "a" } }, "spec": {
            "automountServiceAccountToken": false, "enableServiceLinks": false,
            "terminationGracePeriodSeconds": 30, "serviceAccountName": "a",
            "securityContext": { "runAsNonRoot": true, "runAsUser": 1,
                "seccompProfile": { "type": "RuntimeDefault" } },
            "volumes": [{ "name": "v", "configMap": { "name": "a" } }],
            "containers": [{
                "name": "c", "image": "oms:0.1.0",
                "ports": [{ "name": "grpc", "containerPort": 1 }],
                "env": [{ "name": "A", "value": "b" }],
                "envFrom": [{ "configMapRef": { "name": "a" } }],
                "startupProbe": {}, "livenessProbe": {}, "readinessProbe": {},
                "lifecycle": { "preStop": { "sleep": { "seconds": 5 } } },
                "resources": { "requests": { "cpu": 1, "memory": 1 },
                    "limits": { "cpu": 1, "memory": 1 } },
                "securityContext": { "allowPrivilegeEscalation": false,
                    "readOnlyRootFilesystem": true, "capabilities": { "drop": ["ALL"] } },
            }],
        } } },
    });
    let policy = json!({ "kind": "NetworkPolicy", "metadata": { "name": "a" }, "spec": {
        "podSelector": { "matchLabels": { "app": "a" } }, "policyTypes": ["Ingress", "Egress"] } });
    let map = json!({ "kind": "ConfigMap", "metadata": { "name": "a" }, "data": { "k": "v" } });
    let account = json!({ "kind": "ServiceAccount", "metadata": { "name": "a" } });
    let secret = json!({ "kind": "Secret", "metadata": { "name": "a" },
        "stringData": { "password": "hunter2" } });
    let service = json!({ "kind": "Service", "metadata": { "name": "a" }, "spec": {
        "selector": { "app": "a" }, "ports": [{ "targetPort": "grpc" }] } });
    Objects(vec![pod, policy, map, account, secret, service])
}

const POD: &str = "/spec/template/spec";
const CONTAINER: &str = "/spec/template/spec/containers/0";

/// What is said when, in one object, what is at `path` is `value`.
fn said(object: usize, path: &str, value: Value) -> Vec<String> {
    let mut objects = good();
    let (parent, key) = path.rsplit_once('/').unwrap();
    let parent = objects.0[object].pointer_mut(parent).unwrap();
    match (parent, value) {
        (Value::Object(entries), Value::Null) => drop(entries.remove(key)),
        (Value::Object(entries), value) => drop(entries.insert(key.to_owned(), value)),
        (other, _) => panic!("{other} has no keys"),
    }
    violations(&objects)
}

#[test]
fn nothing_is_said_against_a_good_pod() {
    assert_eq!(violations(&good()), Vec::<String>::new());
}

#[test]
fn what_pod_security_forbids_is_found() {
    for (path, value) in [
        ("/securityContext/runAsNonRoot", json!(false)),
        ("/securityContext/runAsUser", json!(0)),
        ("/securityContext/seccompProfile", Value::Null),
        ("/hostNetwork", json!(true)),
        ("/volumes", json!([{ "name": "v", "hostPath": { "path": "/" } }])),
    ] {
        assert_eq!(said(0, &format!("{POD}{path}"), value).len(), 1, "{path}");
    }
    for path in ["allowPrivilegeEscalation", "readOnlyRootFilesystem", "capabilities"] {
        let path = format!("{CONTAINER}/securityContext/{path}");
        assert_eq!(said(0, &path, Value::Null).len(), 1, "{path}");
    }
}

#[test]
fn tokens_links_bounds_images_and_passwords_are_looked_at() {
    for path in ["automountServiceAccountToken", "enableServiceLinks"] {
        assert_eq!(said(0, &format!("{POD}/{path}"), Value::Null).len(), 1, "{path}");
    }
    for (path, value) in [
        ("resources/limits/cpu", Value::Null),
        ("image", json!("oms:latest")),
        ("env", json!([{ "name": "A", "value": "postgres://u:p@h/d" }])),
        ("readinessProbe", Value::Null),
        ("lifecycle/preStop/sleep/seconds", json!(20)),
    ] {
        assert_eq!(said(0, &format!("{CONTAINER}/{path}"), value).len(), 1, "{path}");
    }
}

#[test]
fn a_pod_without_a_policy_for_both_directions_is_found() {
    assert_eq!(said(1, "/spec/policyTypes", json!(["Ingress"])).len(), 1);
    assert_eq!(said(1, "/spec/podSelector/matchLabels", json!({ "app": "b" })).len(), 2);
}

#[test]
fn what_is_named_must_be_there() {
    assert_eq!(said(2, "/metadata/name", json!("b")).len(), 2, "a volume and variables");
    assert_eq!(said(3, "/metadata/name", json!("b")).len(), 1);
    assert_eq!(said(5, "/spec/selector", json!({ "app": "b" })).len(), 1);
    assert_eq!(said(5, "/spec/ports", json!([{ "targetPort": "http" }])).len(), 1);
}

#[test]
fn a_secret_in_a_config_map_is_found() {
    for open in ["say hunter2", "postgres://u:p@h/d", concat!("BEGIN PRIVATE", " KEY")] {
        assert_eq!(said(2, "/data/k", json!(open)).len(), 1, "{open}");
    }
    assert!(!holds_password("postgres://h/d a@b:c"));
}

#[test]
fn a_tag_that_moves_pins_nothing() {
    for good in ["a/b:1.2.3", "h:5000/a:v1.0", "a@sha256:00", "gcr.io/d/cc-debian12:nonroot"] {
        assert!(is_pinned(good), "{good}");
    }
    for bad in ["a", "a:latest", "h:5000/a", "a:17"] {
        assert!(!is_pinned(bad), "{bad}");
    }
}
