//! `cargo xtask ship --cluster KUBECONFIG`: the chart against a real API server.
//!
//! Installed, upgraded, rolled back and uninstalled, with default and with production values, in a
//! namespace that enforces Pod Security "restricted". Every object must be admitted without a
//! warning, and nothing may be left. Pods need not run there: an API server alone will do, and the
//! Jobs, on which Helm waits as they are hooks, are then marked as complete here.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use oms_servers::installed::needed;
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, process::Command, time::sleep};

use super::{
    chart::{self, Scratch},
    objects::Objects,
    tools,
};

const LEVEL: &str = "pod-security.kubernetes.io";
/// Between two looks for Jobs that are not done.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// What an upgrade changes.
const CHANGED: [&str; 3] = ["--set=order.replicas=2", "--set=log.level=debug", "--set=test.sku=A"];
/// Kinds that a namespace has of itself, or that tell what happened in it.
const NOT_OURS: [&str; 4] =
    ["events", "events.events.k8s.io", "serviceaccounts/default", "configmaps/kube-root-ca.crt"];

/// Plays the life of a release twice.
///
/// # Errors
/// What was not admitted, was warned of, or was left.
pub async fn cluster(kubeconfig: &Path, say: impl Fn(String)) -> anyhow::Result<()> {
    let helm = tools::HELM.program().await.map_err(anyhow::Error::msg)?;
    let kubectl = needed("kubectl", "install kubectl")?;
    let scratch = Scratch::new()?;
    let ours = scratch.write("ours.yaml", chart::OURS)?;
    let production = chart::root(chart::CHART).join("values-production.yaml");
    let default = Release { kubectl, helm, kubeconfig, namespace: "oms-default", values: vec![] };
    let values = vec![production, ours];
    let production = Release { values, namespace: "oms-production", ..default.clone() };
    for release in [default, production] {
        release.live(&say).await.with_context(|| release.namespace.to_owned())?;
    }
    Ok(())
}

#[derive(Clone)]
struct Release<'a> {
    kubectl: PathBuf,
    helm: PathBuf,
    kubeconfig: &'a Path,
    namespace: &'static str,
    values: Vec<PathBuf>,
}

impl Release<'_> {
    async fn live(&self, say: &impl Fn(String)) -> anyhow::Result<()> {
        self.make_namespace().await?;
        let done = tokio::select! {
            done = self.life(say) => done,
            never = self.complete_jobs() => never.map(|never| match never {}),
        };
        let delete = self.kubectl(&["delete", "namespace", self.namespace, "--wait=false"]);
        let deleted = tools::run(delete).await;
        done?;
        deleted.map(drop)
    }

    async fn life(&self, say: &impl Fn(String)) -> anyhow::Result<()> {
        let values: Vec<&Path> = self.values.iter().map(PathBuf::as_path).collect();
        let objects = Objects::parse(&chart::render(&self.helm, &values, &[]).await?)?;
        let pods = self.admit_pods(&objects).await?;
        say(format!("{}: {pods} pods admitted", self.namespace));
        let chart = chart::root(chart::CHART).display().to_string();
        let files = || self.values.iter().map(|file| format!("--values={}", file.display()));
        let install = ["install".to_owned(), "oms".to_owned(), chart.clone()].into_iter();
        self.helm(install.chain(files()).collect()).await?;
        let upgrade = ["upgrade".to_owned(), "oms".to_owned(), chart].into_iter();
        let changed = CHANGED.map(str::to_owned);
        self.helm(upgrade.chain(files()).chain(changed).collect()).await?;
        let replicas = self.replicas().await?;
        self.helm(["rollback", "oms", "1"].map(str::to_owned).into()).await?;
        let before = self.replicas().await?;
        // Where an autoscaler decides, there is no number in the chart to go back to.
        ensure!(replicas != before || !self.values.is_empty(), "rolled back to {before}");
        self.helm(["uninstall", "oms"].map(str::to_owned).into()).await?;
        say(format!("{}: installed, upgraded, rolled back, uninstalled", self.namespace));
        let left = self.left().await?;
        ensure!(left.is_empty(), "left behind: {}", left.join(", "));
        say(format!("{}: nothing is left", self.namespace));
        Ok(())
    }

    async fn make_namespace(&self) -> anyhow::Result<()> {
        let labels: Value = ["enforce", "warn", "audit"]
            .map(|mode| (format!("{LEVEL}/{mode}"), json!("restricted")))
            .into_iter()
            .collect();
        let metadata = json!({ "name": self.namespace, "labels": labels });
        let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": metadata });
        self.create(&namespace, &[]).await
    }

    /// Every pod of the chart as one of its own, though nobody here would make it.
    async fn admit_pods(&self, objects: &Objects) -> anyhow::Result<usize> {
        let mut admitted = 0;
        for pod in objects.pods() {
            let mut spec = pod.spec.clone();
            // A volume that a claim would be made for.
            if let Some(volumes) = spec.as_object_mut().filter(|_| pod.kind == "StatefulSet") {
                let list = volumes.entry("volumes").or_insert_with(|| json!([]));
                if let Some(list) = list.as_array_mut() {
                    let claim = json!({ "claimName": "data" });
                    list.push(json!({ "name": "data", "persistentVolumeClaim": claim }));
                }
            }
            let metadata = json!({ "name": format!("pod-{admitted}"), "labels": pod.labels });
            let object =
                json!({ "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec });
            let dry = ["--dry-run=server"];
            self.create(&object, &dry).await.with_context(|| pod.owner.clone())?;
            admitted += 1;
        }
        Ok(admitted)
    }

    async fn replicas(&self) -> anyhow::Result<String> {
        let path = "-o=jsonpath={.spec.replicas}";
        let args = ["get", "deployment", "oms-order", "--namespace", self.namespace, path];
        let answer = tools::run(self.kubectl(&args)).await?;
        Ok(String::from_utf8_lossy(&answer.stdout).into_owned())
    }

    /// What the namespace holds that nobody but the release can have made.
    async fn left(&self) -> anyhow::Result<Vec<String>> {
        let kinds = ["api-resources", "--verbs=list", "--namespaced", "--output=name"];
        let kinds = tools::run(self.kubectl(&kinds)).await?;
        let kinds = String::from_utf8(kinds.stdout)?;
        let kinds: Vec<&str> = kinds.lines().filter(|kind| !NOT_OURS.contains(kind)).collect();
        let kinds = kinds.join(",");
        let get = ["get", &kinds, "--namespace", self.namespace, "--output=json"];
        let answer = tools::run(self.kubectl(&get)).await?;
        let list: Value = serde_json::from_slice(&answer.stdout)?;
        let items = list["items"].as_array().context("no list")?.iter();
        let named = items.map(|item| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_lowercase();
            format!("{}s/{}", text(&item["kind"]), text(&item["metadata"]["name"]))
        });
        Ok(named.filter(|name| !NOT_OURS.contains(&name.as_str())).collect())
    }

    /// Marks Jobs as complete, where nobody else does, for ever.
    async fn complete_jobs(&self) -> anyhow::Result<std::convert::Infallible> {
        loop {
            let get = ["get", "jobs", "--namespace", self.namespace, "--output=json"];
            let answer = tools::run(self.kubectl(&get)).await?;
            let jobs: Value = serde_json::from_slice(&answer.stdout)?;
            for job in jobs["items"].as_array().into_iter().flatten() {
                if job["status"]["conditions"].is_null() {
                    // One that is deleted meanwhile needs no mark.
                    let _gone = self.complete(job["metadata"]["name"].as_str()).await;
                }
            }
            sleep(LOOK_EVERY).await;
        }
    }

    async fn complete(&self, job: Option<&str>) -> anyhow::Result<()> {
        let now = "2026-01-01T00:00:00Z";
        let condition = |kind: &str| json!({ "type": kind, "status": "True" });
        let status = json!({ "status": {
            "startTime": now, "completionTime": now, "succeeded": 1,
            "conditions": [condition("SuccessCriteriaMet"), condition("Complete")],
        } })
        .to_string();
        let job = job.context("a job without a name")?;
        let patch = ["patch", "job", job, "--namespace", self.namespace, "--subresource=status"];
        let mut command = self.kubectl(&patch);
        command.args(["--type=merge", "--patch", &status]);
        tools::run(command).await.map(drop)
    }

    async fn create(&self, object: &Value, flags: &[&str]) -> anyhow::Result<()> {
        let mut command = self.kubectl(&["create", "--filename=-"]);
        command.args(flags).stdin(Stdio::piped());
        if object["kind"] != "Namespace" {
            command.args(["--namespace", self.namespace]);
        }
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let mut input = child.stdin.take().context("no standard input")?;
        input.write_all(object.to_string().as_bytes()).await?;
        drop(input);
        let ended = child.wait_with_output().await?;
        let said = String::from_utf8_lossy(&ended.stderr);
        ensure!(ended.status.success() && said.trim().is_empty(), "{}", said.trim());
        Ok(())
    }

    /// Helm, which must not be warned of anything.
    async fn helm(&self, arguments: Vec<String>) -> anyhow::Result<()> {
        let mut command = Command::new(&self.helm);
        command.args(&arguments).args(["--namespace", self.namespace, "--timeout=2m"]);
        command.env("KUBECONFIG", self.kubeconfig);
        let answer = tools::run(command).await.with_context(|| arguments.join(" "))?;
        let said = String::from_utf8_lossy(&answer.stderr);
        if !said.trim().is_empty() {
            bail!("{}: {}", arguments.join(" "), said.trim());
        }
        Ok(())
    }

    fn kubectl(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.kubectl);
        command.args(arguments).env("KUBECONFIG", self.kubeconfig).kill_on_drop(true);
        command
    }
}
