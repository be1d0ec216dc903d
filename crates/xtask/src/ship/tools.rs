//! Programs and data of others, brought by Go where it is there.

use std::{
    path::{Path, PathBuf},
    process::Output,
    time::Duration,
};

use anyhow::{Context, bail};
use oms_servers::installed::on_path;
use tokio::{process::Command, time::timeout};

use crate::tree;

/// The renderer of the chart.
pub(super) const HELM: Tool = Tool { name: "helm", module: "helm.sh/helm/v3/cmd/helm@v3.21.4" };
/// Holds objects against the API of Kubernetes.
pub(super) const KUBECONFORM: Tool =
    Tool { name: "kubeconform", module: "github.com/yannh/kubeconform/cmd/kubeconform@v0.7.0" };
/// The reference implementation of compose files, which has the published schema in it.
pub(super) const COMPOSE: Tool =
    Tool { name: "cmd", module: "github.com/compose-spec/compose-go/v2/cmd@v2.9.0" };
/// The API that the chart is validated against.
pub(super) const KUBERNETES: &str = "k8s.io/kubernetes@v1.33.0";

/// The kinds of the Prometheus operator, which Kubernetes does not know.
const OPERATOR: &str = "github.com/prometheus-operator/prometheus-operator@v0.85.0";
/// Where it keeps those that the chart can make.
const OPERATORS_KINDS: [&str; 2] = [
    "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
    "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
];

const BUILT_WITHIN: Duration = Duration::from_secs(900);
const ANSWER_WITHIN: Duration = Duration::from_secs(120);

/// A program that Go builds.
pub(super) struct Tool {
    name: &'static str,
    module: &'static str,
}

impl Tool {
    /// The program, from the PATH or built by Go and kept; else what would bring it.
    pub(super) async fn program(&self) -> Result<PathBuf, String> {
        let Self { name, module } = self;
        let kept = folder()?.join(name);
        if kept.is_file() {
            return Ok(kept);
        }
        // A name that anything could have says nothing.
        if let Some(program) = on_path(name).filter(|_| *name != "cmd") {
            return Ok(program);
        }
        let go = on_path("go").ok_or_else(|| format!("install Go, which builds {module}"))?;
        let mut install = Command::new(go);
        install.args(["install", module]).env("GOBIN", folder()?);
        let built = output(install, BUILT_WITHIN).await;
        built.map_err(|error| format!("Go does not build {module}: {error:#}")).map(|_| kept)
    }
}

/// Where tools and what belongs to them are kept.
pub(super) fn folder() -> Result<PathBuf, String> {
    let folder = tree::root().canonicalize().map_err(|error| error.to_string())?;
    Ok(folder.join("target/tools/bin"))
}

/// A file of a module that Go fetches; else what would bring it.
pub(super) async fn module_file(module: &str, path: &str) -> Result<PathBuf, String> {
    let go = on_path("go").ok_or_else(|| format!("install Go, which fetches {module}"))?;
    let mut download = Command::new(go);
    // Outside of any module: the one of a project would be asked otherwise.
    download.args(["mod", "download", "-json", module]).current_dir(Path::new("/"));
    let fetched = output(download, BUILT_WITHIN).await;
    let fetched = fetched.map_err(|error| format!("Go does not fetch {module}: {error:#}"))?;
    let answer: serde_json::Value =
        serde_json::from_slice(&fetched.stdout).map_err(|error| error.to_string())?;
    let folder = answer["Dir"].as_str().ok_or_else(|| format!("Go has no {module}"))?;
    Ok(PathBuf::from(folder).join(path))
}

/// The definitions of the operator's kinds; else what would bring them.
pub(super) async fn operators_kinds() -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    for path in OPERATORS_KINDS {
        found.push(module_file(OPERATOR, path).await?);
    }
    Ok(found)
}

/// Runs a program to its end and gives what it printed.
///
/// # Errors
/// When it fails, with what it said, or takes too long.
pub(super) async fn run(command: Command) -> anyhow::Result<Output> {
    output(command, ANSWER_WITHIN).await
}

async fn output(mut command: Command, within: Duration) -> anyhow::Result<Output> {
    let name = command.as_std().get_program().to_string_lossy().into_owned();
    let ended = timeout(within, command.kill_on_drop(true).output()).await;
    let ended = ended.with_context(|| format!("{name} did not end within {within:?}"))?;
    let output = ended.with_context(|| format!("cannot run {name}"))?;
    if !output.status.success() {
        let said = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
        bail!("{}", said.join("\n").trim());
    }
    Ok(output)
}
