//! Every service is replaced while customers buy: the new one before the old one.

use std::{fs, process::Stdio, time::Duration};

use anyhow::{Context, ensure};
use serde_json::Value;
use tokio::{
    process::{Child, Command},
    time::timeout,
};

use super::{
    balancer::Balancer,
    instance::Instance,
    plan::{Plan, SERVICES},
};

/// How often each service is replaced.
const ROUNDS: usize = 2;
/// How long orders would come, were the load not told that the rollout is over.
const LOAD_FOR: &str = "--duration=15m";
/// How long the load may take to its report, after it was told.
const REPORT_WITHIN: Duration = Duration::from_secs(180);

/// Replaces all of them, in rounds, while orders come at `rate` a second; then money and stock
/// agree, which the load verifies.
pub(super) async fn play(
    plan: &Plan<'_>,
    running: &mut [Instance],
    balancers: &[Balancer],
    rate: u32,
    say: &impl Fn(String),
) -> anyhow::Result<()> {
    let mut load = plan.oms(&[
        "load",
        "--json",
        "--retries=1",
        "--verbose",
        LOAD_FOR,
        &format!("--rate={rate}"),
    ]);
    // To a file: a pipe that nobody reads before the end would hold the load up once it is full.
    load.stdout(Stdio::piped()).stderr(fs::File::create(plan.log("load"))?);
    let mut load = load.spawn()?;
    let replaced = async {
        for round in 1..=ROUNDS {
            replace(plan, running, balancers, round, &mut load, say).await?;
        }
        anyhow::Ok(())
    };
    let replaced = replaced.await;
    // An instance that did not go as it must says more than the load that suffered from it.
    interrupt(&load).await?;
    let ended = timeout(REPORT_WITHIN, load.wait_with_output()).await;
    replaced?;
    let ended = ended.context("the load has no report in time")??;
    let report: Value = serde_json::from_slice(&ended.stdout)
        .with_context(|| format!("load has no report; see {}", plan.log("load").display()))?;
    let no_errors = report["errors"].as_object().is_some_and(serde_json::Map::is_empty);
    ensure!(no_errors && ended.status.success(), "load during the rollout: {report:#}");
    say(format!("load: {} meanwhile, no error after one retry", orders(&report)));
    Ok(())
}

async fn replace(
    plan: &Plan<'_>,
    running: &mut [Instance],
    balancers: &[Balancer],
    round: usize,
    load: &mut Child,
    say: &impl Fn(String),
) -> anyhow::Result<()> {
    for ((service, old), balancer) in SERVICES.into_iter().zip(running).zip(balancers) {
        let mut new = plan.launch(service, round)?;
        new.wait_until_well().await?;
        balancer.send_to(new.grpc());
        old.end().await?;
        *old = new;
        ensure!(load.try_wait()?.is_none(), "the load ended before the rollout was over");
        say(format!("{service}: replaced under load, round {round}"));
    }
    Ok(())
}

/// What Ctrl-C is to it: it ends early, and reports.
async fn interrupt(load: &Child) -> anyhow::Result<()> {
    if let Some(id) = load.id() {
        Command::new("kill").args(["-INT", &id.to_string()]).status().await?;
    }
    Ok(())
}

/// How many orders, and how long they took.
fn orders(report: &Value) -> String {
    format!("{} in {} s", report["orders"], report["seconds"])
}
