//! What every object of the chart keeps to, beyond its schema.

use serde_json::Value;

use super::{
    objects::{Objects, Pod, title},
    reach,
};

/// Seconds a service takes to drain at most.
const DRAIN_S: u64 = 10;
/// Volumes that Pod Security "restricted" lets a pod have; source: Kubernetes' Pod Security
/// Standards.
const VOLUMES: [&str; 7] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
];
const SECRET_VOLUME: &str = "secret";

/// Everything that is against a rule, as `Deployment/oms-order: what is wrong`.
pub(super) fn violations(objects: &Objects) -> Vec<String> {
    let mut found = Vec::new();
    for pod in objects.pods() {
        let mut say = |what: String| found.push(format!("{}: {what}", pod.owner));
        restricted(&pod).into_iter().for_each(&mut say);
        modest(&pod).into_iter().for_each(&mut say);
        covered(&pod, objects).into_iter().for_each(&mut say);
        reach::closed(&pod, objects).into_iter().for_each(&mut say);
        references(&pod, objects).into_iter().for_each(&mut say);
        if pod.kind == "Deployment" {
            patient(&pod).into_iter().for_each(&mut say);
        }
    }
    found.extend(objects.of_kind("Service").flat_map(|service| reaches(service, objects)));
    found.extend(objects.of_kind("ConfigMap").flat_map(|map| open_secrets(map, objects)));
    found
}

/// Pod Security "restricted", and a root file system nobody can write to.
fn restricted(pod: &Pod<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let mut demand = |held: bool, what: String| {
        if !held {
            found.push(what);
        }
    };
    let security = &pod.spec["securityContext"];
    demand(security["runAsNonRoot"] == true, "runAsNonRoot is not true".into());
    demand(security["runAsUser"].as_u64().is_some_and(|id| id > 0), "runs as root".into());
    let seccomp = &security["seccompProfile"]["type"];
    demand(seccomp == "RuntimeDefault", "seccompProfile is not RuntimeDefault".into());
    for host in ["hostNetwork", "hostPID", "hostIPC"] {
        demand(pod.spec[host].is_null(), format!("{host} is set"));
    }
    for volume in pod.spec["volumes"].as_array().into_iter().flatten() {
        let kinds = volume.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
        let good = |kind: &str| VOLUMES.contains(&kind) || kind == SECRET_VOLUME;
        for kind in kinds.filter(|key| *key != "name") {
            demand(good(kind), format!("a volume of kind {kind}"));
        }
    }
    for container in pod.containers() {
        let (name, security) = (&container["name"], &container["securityContext"]);
        let escalates = &security["allowPrivilegeEscalation"];
        demand(*escalates == false, format!("{name} may escalate its privileges"));
        let dropped = security["capabilities"]["drop"].as_array();
        let all = dropped.is_some_and(|list| list.iter().any(|one| one == "ALL"));
        demand(all, format!("{name} keeps capabilities"));
        let read_only = security["readOnlyRootFilesystem"] == true;
        demand(read_only, format!("{name} may write to its root file system"));
    }
    found
}

/// No token, no variables of other services, bounds on what it takes, an image that is pinned.
fn modest(pod: &Pod<'_>) -> Vec<String> {
    let mut found = Vec::new();
    if pod.spec["automountServiceAccountToken"] != false {
        found.push("mounts a token of its ServiceAccount".to_owned());
    }
    if pod.spec["enableServiceLinks"] != false {
        found.push("enableServiceLinks is not false".to_owned());
    }
    for container in pod.containers() {
        let name = &container["name"];
        for bound in ["requests", "limits"] {
            for what in ["cpu", "memory"] {
                if container["resources"][bound][what].is_null() {
                    found.push(format!("{name} has no {bound} of {what}"));
                }
            }
        }
        let image = container["image"].as_str().unwrap_or_default();
        if !is_pinned(image) {
            found.push(format!("the image {image:?} of {name} is not pinned"));
        }
        for variable in container["env"].as_array().into_iter().flatten() {
            if holds_password(variable["value"].as_str().unwrap_or_default()) {
                found.push(format!("{} holds a password in the clear", variable["name"]));
            }
        }
    }
    found
}

/// An image with a tag that says a version, or with a digest.
pub(super) fn is_pinned(image: &str) -> bool {
    if image.contains("@sha256:") {
        return true;
    }
    let name = image.rsplit('/').next().unwrap_or_default();
    let tag = name.split_once(':').map_or("", |(_, tag)| tag);
    tag.contains(|c: char| c.is_ascii_digit()) && tag.contains('.') || tag == "nonroot"
}

/// A URL with a password in it.
fn holds_password(text: &str) -> bool {
    text.split("://").skip(1).any(|rest| {
        let authority = rest.split(['/', ' ', '\n']).next().unwrap_or_default();
        authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
    })
}

/// The NetworkPolicies of a pod.
pub(super) fn policies<'a>(pod: &Pod<'_>, objects: &'a Objects) -> Vec<&'a Value> {
    let all = objects.of_kind("NetworkPolicy");
    all.filter(|policy| pod.is_selected_by(&policy["spec"]["podSelector"]["matchLabels"])).collect()
}

/// A NetworkPolicy says what may come in and go out.
fn covered(pod: &Pod<'_>, objects: &Objects) -> Vec<String> {
    let policies = policies(pod, objects);
    let both = ["Ingress", "Egress"].into_iter();
    both.filter(|kind| {
        !policies.iter().any(|policy| {
            let types = policy["spec"]["policyTypes"].as_array();
            types.is_some_and(|types| types.iter().any(|one| one == kind))
        })
    })
    .map(|kind| format!("no NetworkPolicy covers its {kind}"))
    .collect()
}

/// What it names is there.
fn references(pod: &Pod<'_>, objects: &Objects) -> Vec<String> {
    let mut wanted = Vec::new();
    if let Some(account) = pod.spec["serviceAccountName"].as_str() {
        wanted.push(("ServiceAccount", account));
    }
    for volume in pod.spec["volumes"].as_array().into_iter().flatten() {
        wanted.extend(volume["configMap"]["name"].as_str().map(|name| ("ConfigMap", name)));
    }
    for container in pod.containers() {
        for from in container["envFrom"].as_array().into_iter().flatten() {
            wanted.extend(from["configMapRef"]["name"].as_str().map(|name| ("ConfigMap", name)));
        }
    }
    let missing = wanted.into_iter().filter(|(kind, name)| objects.named(kind, name).is_none());
    missing.map(|(kind, name)| format!("there is no {kind} {name:?}")).collect()
}

/// It is watched, and has longer to end than it may take.
fn patient(pod: &Pod<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let grace = pod.spec["terminationGracePeriodSeconds"].as_u64().unwrap_or(30);
    for container in pod.containers() {
        for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
            if container[probe].is_null() {
                found.push(format!("{} has no {probe}", container["name"]));
            }
        }
        let sleep = container["lifecycle"]["preStop"]["sleep"]["seconds"].as_u64().unwrap_or(0);
        if grace <= sleep + DRAIN_S {
            found.push(format!("{grace} s to end, and {sleep} s of preStop and {DRAIN_S} s drain"));
        }
    }
    found
}

/// A Service selects a pod that has its ports.
fn reaches(service: &Value, objects: &Objects) -> Vec<String> {
    let selector = &service["spec"]["selector"];
    let pods: Vec<_> = objects.pods().filter(|pod| pod.is_selected_by(selector)).collect();
    if pods.is_empty() {
        return vec![format!("{}: selects no pod", title(service))];
    }
    let has = |port: &Value| {
        pods.iter().flat_map(Pod::containers).any(|container| {
            let ports = container["ports"].as_array().into_iter().flatten();
            ports.into_iter().any(|one| one["name"] == *port || one["containerPort"] == *port)
        })
    };
    let ports = service["spec"]["ports"].as_array().into_iter().flatten();
    ports
        .filter(|port| !has(&port["targetPort"]))
        .map(|port| format!("{}: no pod has the port {}", title(service), port["targetPort"]))
        .collect()
}

/// A ConfigMap repeats no secret.
fn open_secrets(map: &Value, objects: &Objects) -> Vec<String> {
    let secrets: Vec<&str> = objects
        .of_kind("Secret")
        .flat_map(|secret| secret["stringData"].as_object().into_iter().flatten())
        .filter_map(|(_, value)| value.as_str())
        .collect();
    let entries = map["data"].as_object().into_iter().flatten();
    let open = entries.filter(|(_, value)| {
        let text = value.as_str().unwrap_or_default();
        let key = text.contains(concat!("PRIVATE", " KEY"));
        key || holds_password(text) || secrets.iter().any(|secret| text.contains(secret))
    });
    open.map(|(key, _)| format!("{}: {key} holds a secret", title(map))).collect()
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
