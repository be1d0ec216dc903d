//! The kinds of the Prometheus operator: made where the cluster lacks them, and taken away again.

use std::fs;

use anyhow::{Context, ensure};
use serde_json::Value;
use tokio::time::{Duration, Instant, sleep};

use super::server::Server;
use crate::ship::tools;

const KNOWN_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Makes those that are not there; which those were.
pub(super) async fn make(server: &Server<'_>) -> anyhow::Result<Vec<String>> {
    let mut made = Vec::new();
    for file in tools::operators_kinds().await.map_err(anyhow::Error::msg)? {
        let text = fs::read_to_string(&file)?;
        let definition: Value = serde_saphyr::from_str(&text)?;
        let name = definition["metadata"]["name"].as_str().context("a kind without a name")?;
        if server.ask(&["get", "crd", name, "--output=json"]).await.is_ok() {
            continue;
        }
        // Too long for the annotation that `apply` keeps.
        server.send(&["create", "--filename=-"], &text).await?;
        made.push(name.to_owned());
        wait_for(server, name).await?;
    }
    Ok(made)
}

/// Takes away those that were made here.
pub(super) async fn delete(server: &Server<'_>, made: &[String]) -> anyhow::Result<()> {
    for name in made {
        tools::run(server.kubectl(&["delete", "crd", name, "--wait=false"])).await?;
    }
    Ok(())
}

/// Waits until objects of a kind can be listed.
async fn wait_for(server: &Server<'_>, name: &str) -> anyhow::Result<()> {
    let until = Instant::now() + KNOWN_WITHIN;
    while server.ask(&["get", name, "--all-namespaces", "--output=json"]).await.is_err() {
        ensure!(Instant::now() < until, "{name} is not served within {KNOWN_WITHIN:?}");
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}
