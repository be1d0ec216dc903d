//! The life of a release: what an operator does with it, in order.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{CHANGED, server::Server};
use crate::ship::{
    chart,
    objects::{Objects, Pod},
};

/// What a controller takes away after an uninstallation is gone by then.
const GONE_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// More pods than the chart's own number.
const MANY: &str = "order.replicas=3";
const AUTOSCALED: &str = "order.autoscaling.enabled=true";
/// Kinds that a namespace has of itself, or that tell what happened in it.
const NOT_OURS: [&str; 4] =
    ["events", "events.events.k8s.io", "serviceaccounts/default", "configmaps/kube-root-ca.crt"];

/// A release in a namespace of its own.
pub(super) struct Release<'a> {
    pub(super) server: &'a Server<'a>,
    pub(super) namespace: String,
    /// What the Deployment of the order service is called.
    pub(super) order: &'static str,
    pub(super) values: Vec<PathBuf>,
}

impl Release<'_> {
    /// Everything, from what its objects are to what is left of them.
    pub(super) async fn life(&self, say: &impl Fn(String)) -> anyhow::Result<()> {
        let values: Vec<&Path> = self.values.iter().map(PathBuf::as_path).collect();
        let rendered = chart::render(&self.server.helm, &values, &[]).await?;
        let objects = Objects::parse(&rendered)?;
        let pods = admit_pods(self.server, &self.namespace, &objects).await?;
        let applied = self.apply(&rendered, objects.0.len()).await?;
        say(format!("{pods} pods admitted, {applied} objects by server-side apply"));

        self.change("install", &[]).await?;
        let level = self.level().await?;
        self.change("upgrade", &CHANGED).await?;
        ensure!(self.level().await? == "debug", "the upgrade changed no setting");
        self.helm(&["rollback", "oms", "1"]).await?;
        let back = self.level().await?;
        ensure!(back == level, "rolled back to {back:?}, and it was {level:?}");
        self.helm(&["test", "oms"]).await?;
        say("installed, upgraded, rolled back; helm test admitted".to_owned());
        self.bring_the_autoscaler().await?;
        say("an autoscaler that comes takes no pod away".to_owned());

        self.end().await?;
        self.change("install", &[]).await?;
        self.end().await?;
        say("uninstalled, installed again, uninstalled; nothing is left".to_owned());
        Ok(())
    }

    /// From a number of pods to an autoscaler and back.
    async fn bring_the_autoscaler(&self) -> anyhow::Result<()> {
        let off = "order.autoscaling.enabled=false";
        self.change("upgrade", &[off, MANY]).await?;
        self.change("upgrade", &[AUTOSCALED, MANY]).await?;
        let pods = self.deployment().await?["spec"]["replicas"].clone();
        ensure!(pods == 3, "the autoscaler came, and 3 pods became {pods}");
        self.change("upgrade", &[off, MANY]).await
    }

    async fn end(&self) -> anyhow::Result<()> {
        self.helm(&["uninstall", "oms"]).await?;
        let until = Instant::now() + GONE_WITHIN;
        loop {
            let left = self.left().await?;
            if left.is_empty() {
                return Ok(());
            }
            ensure!(Instant::now() < until, "left behind: {}", left.join(", "));
            sleep(LOOK_EVERY).await;
        }
    }

    /// Installs or upgrades with its values and some of them changed.
    async fn change(&self, verb: &str, set: &[&str]) -> anyhow::Result<()> {
        let mut words = vec![verb.to_owned(), "oms".to_owned()];
        words.push(chart::root(chart::CHART).display().to_string());
        words.extend(self.values.iter().map(|file| format!("--values={}", file.display())));
        words.extend(set.iter().map(|pair| format!("--set={pair}")));
        words.push("--timeout=2m".to_owned());
        self.server.helm(&self.namespace, &words).await
    }

    async fn helm(&self, words: &[&str]) -> anyhow::Result<()> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        self.server.helm(&self.namespace, &words).await
    }

    /// Every manifest by itself, hooks included, as an operator without Helm would send it.
    async fn apply(&self, rendered: &str, objects: usize) -> anyhow::Result<usize> {
        let apply = ["apply", "--server-side", "--dry-run=server", "--output=name", "--filename=-"];
        let verb: Vec<&str> = apply.into_iter().chain(["--namespace", &self.namespace]).collect();
        let applied = self.server.send(&verb, rendered).await?.lines().count();
        ensure!(applied == objects, "{applied} objects were applied, of {objects}");
        Ok(applied)
    }

    async fn deployment(&self) -> anyhow::Result<Value> {
        self.get("deployment").await
    }

    /// The log level that the order service is told.
    async fn level(&self) -> anyhow::Result<String> {
        let map = self.get("configmap").await?;
        Ok(map["data"]["OMS_LOG__LEVEL"].as_str().context("no log level")?.to_owned())
    }

    async fn get(&self, kind: &str) -> anyhow::Result<Value> {
        let get = ["get", kind, self.order, "--namespace", &self.namespace, "--output=json"];
        self.server.ask(&get).await
    }

    /// What the namespace holds that nobody but the release can have made.
    async fn left(&self) -> anyhow::Result<Vec<String>> {
        let kinds = ["api-resources", "--verbs=list", "--namespaced", "--output=name"];
        let kinds = self.server.send(&kinds, "").await?;
        let kinds: Vec<&str> = kinds.lines().filter(|kind| !NOT_OURS.contains(kind)).collect();
        let get = ["get", &kinds.join(","), "--namespace", &self.namespace, "--output=json"];
        let list = self.server.ask(&get).await?;
        let items = list["items"].as_array().context("no list")?.iter();
        let named = items.map(|item| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_lowercase();
            format!("{}s/{}", text(&item["kind"]), text(&item["metadata"]["name"]))
        });
        Ok(named.filter(|name| !NOT_OURS.contains(&name.as_str())).collect())
    }
}

/// Every pod of the chart as one of its own, though nobody here would make it; how many those are.
pub(super) async fn admit_pods(
    server: &Server<'_>,
    namespace: &str,
    objects: &Objects,
) -> anyhow::Result<usize> {
    let mut admitted = 0;
    for pod in objects.pods() {
        let metadata = json!({ "name": format!("pod-{admitted}"), "labels": pod.labels });
        let spec = with_its_volume(&pod);
        let object =
            json!({ "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec });
        let create = ["create", "--filename=-", "--dry-run=server", "--namespace", namespace];
        let admission = server.send(&create, &object.to_string()).await;
        admission.with_context(|| pod.owner.clone())?;
        admitted += 1;
    }
    Ok(admitted)
}

/// The specification, with the volume of a claim that a StatefulSet makes.
fn with_its_volume(pod: &Pod<'_>) -> Value {
    let mut spec = pod.spec.clone();
    let volumes = spec["volumes"].as_array().cloned().unwrap_or_default();
    let has_data = volumes.iter().any(|volume| volume["name"] == "data");
    if pod.kind == "StatefulSet" && !has_data {
        let claim = json!({ "name": "data", "persistentVolumeClaim": { "claimName": "data" } });
        spec["volumes"] = volumes.into_iter().chain([claim]).collect();
    }
    spec
}
