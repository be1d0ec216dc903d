//! What a controller or a kubelet would write where there is none: that a Job or a pod has ended.

use std::{collections::BTreeSet, convert::Infallible, time::Duration};

use anyhow::Context;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::server::Server;
use crate::ship::tools;

/// Between two looks; what nobody has taken by the second one is nobody's.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// What kubectl says of what is not there.
const GONE: &str = "(NotFound)";
const NOW: &str = "2026-01-01T00:00:00Z";

/// Marks Jobs and pods of the namespace as well ended where nobody else runs them, for ever.
pub(super) async fn set(server: &Server<'_>, namespace: &str) -> anyhow::Result<Infallible> {
    let mut seen = BTreeSet::new();
    loop {
        let get = ["get", "jobs,pods", "--namespace", namespace, "--output=json"];
        let list = server.ask(&get).await?;
        let waiting: BTreeSet<(String, String)> =
            list["items"].as_array().into_iter().flatten().filter_map(waiting).collect();
        for (kind, name) in waiting.intersection(&seen) {
            let status = if kind == "Job" { job_done() } else { pod_done() };
            let status = json!({ "status": status }).to_string();
            let patch = ["patch", kind, name, "--namespace", namespace, "--subresource=status"];
            let mut command = server.kubectl(&patch);
            command.args(["--type=merge", "--patch", &status]);
            match tools::run(command).await {
                // One that is deleted meanwhile needs no mark.
                Err(error) if error.to_string().contains(GONE) => {}
                marked => drop(marked.with_context(|| format!("mark {kind} {name} as ended"))?),
            }
        }
        seen = waiting;
        sleep(LOOK_EVERY).await;
    }
}

/// A Job that no controller has begun, or a pod that is on no node; by kind and name.
fn waiting(item: &Value) -> Option<(String, String)> {
    let kind = item["kind"].as_str()?;
    let taken = match kind {
        "Job" => !item["status"]["startTime"].is_null(),
        _ => item["status"]["phase"] != "Pending" || !item["spec"]["nodeName"].is_null(),
    };
    let name = item["metadata"]["name"].as_str()?;
    (!taken).then(|| (kind.to_owned(), name.to_owned()))
}

fn job_done() -> Value {
    let condition = |kind: &str| json!({ "type": kind, "status": "True" });
    json!({
        "startTime": NOW, "completionTime": NOW, "succeeded": 1,
        "conditions": [condition("SuccessCriteriaMet"), condition("Complete")],
    })
}

fn pod_done() -> Value {
    json!({ "phase": "Succeeded", "startTime": NOW })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_runs_is_let_be() {
        let item = |kind: &str, status: Value, spec: Value| {
            waiting(&json!({ "kind": kind, "metadata": { "name": "a" }, "status": status,
                "spec": spec }))
            .is_some()
        };
        assert!(item("Job", json!({}), json!({})));
        assert!(!item("Job", json!({ "startTime": NOW }), json!({})));
        assert!(item("Pod", json!({ "phase": "Pending" }), json!({})));
        assert!(!item("Pod", json!({ "phase": "Pending" }), json!({ "nodeName": "n" })));
        assert!(!item("Pod", json!({ "phase": "Running" }), json!({})));
    }
}
