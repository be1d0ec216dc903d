//! An API server, and the two programs that speak to it.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, process::Command};

use crate::ship::tools;

const LEVEL: &str = "pod-security.kubernetes.io";
/// Said of a file that others may read, which is no matter of the chart's.
const ABOUT_THE_FILE: &str = "WARNING: Kubernetes configuration file is";

/// An API server.
pub(super) struct Server<'a> {
    pub(super) kubectl: PathBuf,
    pub(super) helm: PathBuf,
    pub(super) kubeconfig: &'a Path,
}

impl Server<'_> {
    /// What it calls itself.
    pub(super) async fn version(&self) -> anyhow::Result<String> {
        // `kubectl version` fails where it cannot read the server's.
        let said = self.ask(&["get", "--raw", "/version"]).await?;
        Ok(said["gitVersion"].as_str().context("no version")?.to_owned())
    }

    /// A namespace that enforces "restricted", warns of it, and is of this run alone.
    pub(super) async fn make_namespace(&self, name: &str) -> anyhow::Result<String> {
        let name = format!("oms-{name}-{}", std::process::id());
        let labels: Value = ["enforce", "warn", "audit"]
            .map(|mode| (format!("{LEVEL}/{mode}"), json!("restricted")))
            .into_iter()
            .collect();
        let metadata = json!({ "name": name, "labels": labels });
        let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": metadata });
        self.send(&["create", "--filename=-"], &namespace.to_string()).await?;
        Ok(name)
    }

    /// Tells that the namespace may go; an API server alone never ends that.
    pub(super) async fn delete_namespace(&self, name: &str) -> anyhow::Result<()> {
        tools::run(self.kubectl(&["delete", "namespace", name, "--wait=false"])).await.map(drop)
    }

    /// Sends manifests to a verb of kubectl, which must not be warned of anything; what it said.
    pub(super) async fn send(&self, verb: &[&str], manifests: &str) -> anyhow::Result<String> {
        let mut command = self.kubectl(verb);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let mut input = child.stdin.take().context("no standard input")?;
        // One that ends before it has read everything says why.
        let sent = input.write_all(manifests.as_bytes()).await;
        drop(input);
        let ended = child.wait_with_output().await?;
        let said = String::from_utf8_lossy(&ended.stderr);
        ensure!(ended.status.success() && said.trim().is_empty(), "{}", said.trim());
        sent?;
        Ok(String::from_utf8(ended.stdout)?)
    }

    /// What kubectl answers, as JSON.
    pub(super) async fn ask(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let answer = tools::run(self.kubectl(arguments)).await?;
        Ok(serde_json::from_slice(&answer.stdout)?)
    }

    /// Helm, which must not be warned of anything either.
    pub(super) async fn helm(&self, namespace: &str, arguments: &[String]) -> anyhow::Result<()> {
        let mut command = Command::new(&self.helm);
        command.args(arguments).args(["--namespace", namespace]);
        command.env("KUBECONFIG", self.kubeconfig);
        let answer = tools::run(command).await.with_context(|| arguments.join(" "))?;
        let said = String::from_utf8_lossy(&answer.stderr);
        let said: Vec<&str> =
            said.lines().filter(|line| !line.starts_with(ABOUT_THE_FILE)).collect();
        if !said.is_empty() {
            bail!("{}: {}", arguments.join(" "), said.join("\n"));
        }
        Ok(())
    }

    /// A command of kubectl.
    pub(super) fn kubectl(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.kubectl);
        command.args(arguments).env("KUBECONFIG", self.kubeconfig).kill_on_drop(true);
        command
    }
}
