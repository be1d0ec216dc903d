//! `cargo xtask ship --cluster KUBECONFIG`: the chart against a real API server.
//!
//! Installed, upgraded, rolled back, uninstalled and installed again, with default, production and
//! odd values, in namespaces that enforce Pod Security "restricted" and warn of it. Every object
//! must be admitted without a warning, and nothing may be left. A chart that breaks "restricted"
//! must be refused, or all of this would say nothing. Pods need not run: an API server alone will
//! do, and what Helm waits for is marked as done here where no controller takes it.

mod broken;
mod kinds;
mod marks;
mod release;
mod server;

use std::path::{Path, PathBuf};

use anyhow::Context;
use oms_servers::installed::needed;

use super::{
    chart::{self, Scratch},
    tools,
};
use release::Release;
use server::Server;

/// What an upgrade changes, in every arrangement.
const CHANGED: [&str; 3] = ["order.replicas=2", "log.level=debug", "test.sku=A"];

/// Plays the life of a release with each kind of values.
///
/// # Errors
/// What was not admitted, was warned of, or was left.
pub async fn cluster(kubeconfig: &Path, say: impl Fn(String)) -> anyhow::Result<()> {
    let helm = tools::HELM.program().await.map_err(anyhow::Error::msg)?;
    let kubectl = needed("kubectl", "install kubectl")?;
    let server = Server { kubectl, helm, kubeconfig };
    say(format!("Kubernetes {}", server.version().await?));
    let scratch = Scratch::new()?;
    broken::is_refused(&server, &scratch).await.context("a chart that breaks \"restricted\"")?;
    say("a chart that breaks \"restricted\" is refused".to_owned());

    let (odd, ours) =
        (scratch.write("odd.yaml", chart::ODD)?, scratch.write("ours.yaml", chart::OURS)?);
    let production = chart::root(chart::CHART).join("values-production.yaml");
    let made = kinds::make(&server).await?;
    let played = async {
        for (name, order, values) in [
            ("default", "oms-order", vec![]),
            ("production", "oms-order", vec![production, ours]),
            ("odd", "shop-order", vec![odd]),
        ] {
            live(&server, name, order, values, &say).await.with_context(|| name)?;
        }
        anyhow::Ok(())
    };
    let played = played.await;
    kinds::delete(&server, &made).await?;
    played
}

async fn live(
    server: &Server<'_>,
    name: &str,
    order: &'static str,
    values: Vec<PathBuf>,
    say: &impl Fn(String),
) -> anyhow::Result<()> {
    let namespace = server.make_namespace(name).await?;
    let release = Release { server, namespace: namespace.clone(), order, values };
    let tell = |line| say(format!("{name}: {line}"));
    let done = tokio::select! {
        done = release.life(&tell) => done,
        never = marks::set(server, &namespace) => never.map(|never| match never {}),
    };
    let deleted = server.delete_namespace(&namespace).await;
    done?;
    deleted
}
