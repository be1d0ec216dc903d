//! The chart: linted, rendered, validated, and held to our rules.

use std::{fs, path::Path};

use anyhow::Context;
use serde_json::Value;
use tokio::process::Command;

use super::{api::Api, environment, objects::Objects, policy, report::Report, tools};
use crate::tree;

pub(super) const CHART: &str = "helm/oms";
/// What Kubernetes is said to be there: the version of `tools::KUBERNETES`.
const VERSION: &str = "1.33.0";

/// Values with which everything is on, or other than usual.
pub(super) const ODD: &str = include_str!("values/odd.yaml");
/// What somebody has to add to the production values.
pub(super) const OURS: &str = include_str!("values/production.yaml");
/// One mistake each, and what the refusal must name.
const REFUSED: [(&str, &str); 16] = [
    ("ordr.replicas=2", "ordr"),
    ("order.replicas=0", "/order/replicas"),
    ("order.replicas=20", "/order/replicas"),
    ("order.replicas=two", "/order/replicas"),
    ("order.autoscaling.minReplicas=7", "order.autoscaling: minReplicas is more"),
    ("fullnameOverride=9shop", "/fullnameOverride"),
    ("traces.endpoint=collector:4317", "/traces/endpoint"),
    ("traces.samplePercent=101", "/traces/samplePercent"),
    ("kafka.secretProperties.a.key=b", "/kafka/secretProperties/a"),
    ("kafka.bootstrap=nowhere", "/kafka/bootstrap"),
    ("image.pullPolicy=Sometimes", "/image/pullPolicy"),
    ("inventory.resources.limits.cpu=lots", "/inventory/resources/limits/cpu"),
    ("developmentPostgresql.password=a b", "/developmentPostgresql/password"),
    ("developmentKafka.enabled=false", "kafka.bootstrap: name your brokers"),
    ("payment.terminationGracePeriodSeconds=12", "payment.terminationGracePeriodSeconds"),
    ("developmentPostgresql.enabled=false", "payment.database.existingSecret"),
];

/// A way to render the chart.
struct Rendering<'a> {
    name: &'static str,
    values: Vec<&'a Path>,
}

/// Everything about the chart.
pub(super) async fn check(report: &mut Report) -> anyhow::Result<()> {
    let helm = match tools::HELM.program().await {
        Ok(helm) => helm,
        Err(why) => {
            report.skip("chart", &why);
            return Ok(());
        }
    };
    let mut lint = Command::new(&helm);
    lint.args(["lint", "--strict", "--kube-version", VERSION]).arg(root(CHART));
    report.add("helm lint", tools::run(lint).await.err().map(|error| error.to_string()));
    let api = match Api::open().await? {
        Ok(api) => Some(api),
        Err(why) => {
            report.skip("API of Kubernetes", &why);
            None
        }
    };
    let scratch = Scratch::new()?;
    let (odd, ours) = (scratch.write("odd.yaml", ODD)?, scratch.write("ours.yaml", OURS)?);
    let production = root(CHART).join("values-production.yaml");
    let renderings = [
        Rendering { name: "default values", values: vec![] },
        Rendering { name: "production values", values: vec![&production, &ours] },
        Rendering { name: "odd values", values: vec![&odd] },
    ];
    for Rendering { name, values } in renderings {
        let rendered = render(&helm, &values, &[]).await.context(name)?;
        let objects = Objects::parse(&rendered)?;
        let check = |what: &str| format!("chart with {name}: {what}");
        if let Some(api) = &api {
            let file = scratch.write("rendered.yaml", &rendered)?;
            report.add(&check("API of Kubernetes"), api.violations(&objects, &file).await?);
        }
        report.add(&check("rules"), policy::violations(&objects));
        report.add(&check("settings"), settings(&objects));
    }
    report.add("values that are refused", refusals(&helm, &production).await);
    Ok(())
}

/// What the chart renders to.
pub(super) async fn render(
    helm: &Path,
    values: &[&Path],
    set: &[String],
) -> anyhow::Result<String> {
    render_at(helm, &root(CHART), values, set).await
}

/// What a chart renders to that is elsewhere.
pub(super) async fn render_at(
    helm: &Path,
    chart: &Path,
    values: &[&Path],
    set: &[String],
) -> anyhow::Result<String> {
    let mut command = Command::new(helm);
    command.args(["template", "oms"]).arg(chart).args(["--kube-version", VERSION]);
    for file in values {
        command.arg("--values").arg(file);
    }
    for pair in set {
        command.arg("--set").arg(pair);
    }
    Ok(String::from_utf8(tools::run(command).await?.stdout)?)
}

/// Mistakes that are not refused, or not by their name.
async fn refusals(helm: &Path, production: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for (mistake, named) in REFUSED {
        found.extend(refusal(helm, &[], &[mistake.to_owned()], named).await);
    }
    found.extend(refusal(helm, &[production], &[], "kafka.bootstrap: name your brokers").await);
    found
}

async fn refusal(helm: &Path, values: &[&Path], set: &[String], named: &str) -> Option<String> {
    match render(helm, values, set).await {
        Ok(_) => Some(format!("{set:?} is taken")),
        Err(error) if error.to_string().contains(named) => None,
        Err(error) => Some(format!("{set:?} is refused without naming {named}: {error}")),
    }
}

/// What the services say of the settings that their pods are given.
fn settings(objects: &Objects) -> Vec<String> {
    let mut found = Vec::new();
    for pod in objects.pods() {
        for container in pod.containers() {
            let binary = container["command"][0].as_str().unwrap_or_default();
            let wrong = environment::violations(binary, variables(container, objects));
            found.extend(wrong.iter().map(|what| format!("{}: {what}", pod.owner)));
        }
    }
    found
}

/// A container's environment, with stand-ins for what Secrets hold that are not in the chart.
pub(super) fn variables(container: &Value, objects: &Objects) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for from in container["envFrom"].as_array().into_iter().flatten() {
        let name = text(&from["configMapRef"]["name"]);
        let data = objects.named("ConfigMap", &name).and_then(|map| map["data"].as_object());
        all.extend(data.into_iter().flatten().map(|(key, value)| (key.clone(), text(value))));
    }
    for variable in container["env"].as_array().into_iter().flatten() {
        let name = text(&variable["name"]);
        let secret = &variable["valueFrom"]["secretKeyRef"];
        let value = match secret.as_object() {
            None => text(&variable["value"]),
            Some(_) => objects
                .named("Secret", &text(&secret["name"]))
                .and_then(|found| found["stringData"][text(&secret["key"])].as_str())
                .map_or_else(|| environment::stand_in(&name), str::to_owned),
        };
        all.push((name, value));
    }
    all
}

/// A path of the repository.
pub(super) fn root(path: &str) -> std::path::PathBuf {
    tree::root().join(path)
}

/// A folder for values, gone with this.
pub(super) struct Scratch(std::path::PathBuf);

impl Scratch {
    /// A folder of this process.
    pub(super) fn new() -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("oms-ship-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }

    /// A file in it.
    pub(super) fn write(&self, name: &str, text: &str) -> anyhow::Result<std::path::PathBuf> {
        let path = self.0.join(name);
        fs::write(&path, text)?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
