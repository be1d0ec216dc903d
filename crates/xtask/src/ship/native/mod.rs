//! `cargo xtask ship --native`: the chart's own commands, run on this machine.
//!
//! What the chart renders with default values is taken word by word: arguments and environment of
//! every container, with addresses mapped to an Apache Kafka and a PostgreSQL of this machine. The
//! services start first and wait; then the databases are made, topics and migrations follow, and
//! the pod of `helm test` buys. In the end every service is replaced under load, as a rollout does.

mod balancer;
mod instance;
mod plan;

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use oms_servers::{Servers, ports};
use serde_json::Value;
use tokio::{process::Command, time::timeout};

use super::{chart, objects::Objects, tools};
use crate::servers::with_own_servers;
use balancer::Balancer;
use instance::Instance;
use plan::{Administrator, Plan, SERVICES};

const INIT_WITHIN: Duration = Duration::from_secs(120);
const JOB_WITHIN: Duration = Duration::from_secs(120);
/// Orders of one load; further loads follow until the rollout is over.
const LOAD_ORDERS: u64 = 20;
const LOAD_WITHIN: Duration = Duration::from_secs(300);

/// Runs what the chart renders, and replaces every service under load.
///
/// # Errors
/// What did not go as it must.
pub async fn native(say: impl Fn(String)) -> anyhow::Result<()> {
    let helm = tools::HELM.program().await.map_err(anyhow::Error::msg)?;
    let objects = Objects::parse(&chart::render(&helm, &[], &[]).await?)?;
    with_own_servers("ship", async |servers, stop| {
        tokio::select! {
            played = play(&objects, servers, &say) => played,
            () = stop.wished() => bail!("interrupted"),
        }
    })
    .await
}

async fn play(objects: &Objects, servers: &Servers, say: &impl Fn(String)) -> anyhow::Result<()> {
    let folder = servers.folder().join("ship");
    fs::create_dir_all(&folder)?;
    let [order, inventory, payment] = ports::free()?;
    let balancers = [
        Balancer::listen(order).await?,
        Balancer::listen(inventory).await?,
        Balancer::listen(payment).await?,
    ];
    let plan = Plan::new(objects, servers, &folder, [order, inventory, payment])?;

    let mut running = Vec::new();
    for service in SERVICES {
        running.push(plan.launch(service, 0)?);
    }
    for instance in &mut running {
        instance.wait_for_admin().await?;
        ensure!(!instance.is_well().await?, "{} is well without a database", instance.name());
    }
    say("services started, and wait for databases that are not there".to_owned());

    make_databases(objects, servers, &folder).await?;
    for job in plan.jobs()? {
        say(format!("{}: done", job.run(JOB_WITHIN).await?));
    }
    for (instance, balancer) in running.iter_mut().zip(&balancers) {
        instance.wait_until_well().await?;
        balancer.send_to(instance.grpc());
    }
    say("services are well".to_owned());
    let test = plan.test()?.run(JOB_WITHIN).await?;
    say(format!("{test}: an order was created, paid and confirmed"));

    roll(&plan, &mut running, &balancers, say).await?;
    for instance in &mut running {
        instance.end().await?;
    }
    say("every service ended well".to_owned());
    Ok(())
}

/// Replaces each service while customers buy: the new one before the old one.
async fn roll(
    plan: &Plan<'_>,
    running: &mut [Instance],
    balancers: &[Balancer],
    say: &impl Fn(String),
) -> anyhow::Result<()> {
    let over = AtomicBool::new(false);
    let replacing = async {
        let replaced = replace(plan, running, balancers, say).await;
        over.store(true, Ordering::Release);
        replaced
    };
    let buying = async {
        let mut orders = 0;
        // As fast as this machine is, and until the rollout is over.
        while !over.load(Ordering::Acquire) {
            buy(plan).await?;
            orders += LOAD_ORDERS;
        }
        anyhow::Ok(orders)
    };
    let (replaced, orders) = tokio::join!(replacing, buying);
    replaced?;
    say(format!("load: {} orders meanwhile, no error after one retry", orders?));
    Ok(())
}

async fn replace(
    plan: &Plan<'_>,
    running: &mut [Instance],
    balancers: &[Balancer],
    say: &impl Fn(String),
) -> anyhow::Result<()> {
    for ((service, old), balancer) in SERVICES.into_iter().zip(running).zip(balancers) {
        let mut new = plan.launch(service, 1)?;
        new.wait_until_well().await?;
        balancer.send_to(new.grpc());
        old.end().await?;
        *old = new;
        say(format!("{service}: replaced under load"));
    }
    Ok(())
}

/// A few customers at a time; afterwards money and stock agree, which the load verifies.
async fn buy(plan: &Plan<'_>) -> anyhow::Result<()> {
    let requests = format!("--requests={LOAD_ORDERS}");
    let mut load = plan.oms(&["load", "--json", "--retries=1", "--clients=4", &requests]);
    let ended = timeout(LOAD_WITHIN, load.output()).await.context("load")??;
    let report: Value = serde_json::from_slice(&ended.stdout).with_context(|| {
        format!("load has no report: {}", String::from_utf8_lossy(&ended.stderr))
    })?;
    let errors = report["errors"].as_object().is_some_and(serde_json::Map::is_empty);
    ensure!(errors && ended.status.success(), "load during the rollout: {report:#}");
    Ok(())
}

/// What the image of PostgreSQL does on an empty folder: the chart's own script.
async fn make_databases(objects: &Objects, servers: &Servers, folder: &Path) -> anyhow::Result<()> {
    let map = objects.named("ConfigMap", "oms-postgresql").context("no ConfigMap")?;
    for file in ["init.sh", "service.sql"] {
        let text = map["data"][file].as_str().with_context(|| format!("no {file}"))?;
        fs::write(folder.join(file), text)?;
    }
    let secret = objects.named("Secret", "oms-postgresql").context("no Secret")?;
    let password = secret["stringData"]["password"].as_str().context("no password")?;
    let Administrator { user, password: own, address } =
        Administrator::of(&servers.postgres_url())?;
    let (host, port) = address.split_once(':').context("an address without a port")?;
    let mut init = Command::new("bash");
    init.arg(folder.join("init.sh"))
        .env("OMS_SERVICE_SQL", folder.join("service.sql"))
        .envs([("OMS_PASSWORD", password), ("POSTGRES_USER", &user)])
        .envs([("PGHOST", host), ("PGPORT", port), ("PGPASSWORD", &own)]);
    let ended =
        timeout(INIT_WITHIN, init.kill_on_drop(true).output()).await.context("init.sh")??;
    let said = String::from_utf8_lossy(&ended.stderr);
    ensure!(ended.status.success(), "init.sh: {}\n{said}", ended.status);
    Ok(())
}
