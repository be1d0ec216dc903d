//! `cargo xtask ship --native`: the chart's own commands, run on this machine.
//!
//! What the chart renders is taken word by word: arguments and environment of every container,
//! with addresses mapped to an Apache Kafka and a PostgreSQL of this machine. The services start
//! first and wait; then the databases are made, topics and migrations follow, and the pod of `helm
//! test` buys. In the end every service is replaced twice under load, as a rollout does. So it goes
//! with default values; with production values both servers speak TLS and nothing else.

mod balancer;
mod development;
mod instance;
mod plan;
mod production;
mod rollout;

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, bail, ensure};
use oms_servers::ports;

use super::{chart, objects::Objects, tools};
use crate::servers::with_own_servers;
use balancer::Balancer;
use plan::{Plan, SERVICES};

pub use production::image;

/// Where the logs of the last run are.
const LOGS: &str = "target/ship-logs";
const JOB_WITHIN: Duration = Duration::from_secs(120);

/// Runs what the chart renders with default values, and replaces every service while orders come at
/// `rate` a second.
///
/// # Errors
/// What did not go as it must.
pub async fn native(rate: u32, say: impl Fn(String)) -> anyhow::Result<()> {
    let helm = match tools::HELM.program().await {
        Ok(helm) => helm,
        Err(why) => {
            say(format!("skipped: the chart's commands on this machine: {why}"));
            return Ok(());
        }
    };
    let objects = Objects::parse(&chart::render(&helm, &[], &[]).await?)?;
    let binaries = std::env::current_exe()?;
    let binaries = binaries.parent().context("no folder of binaries")?;
    with_own_servers("ship", async |servers, stop| {
        let stage = Stage { objects: &objects, binaries, rate };
        tokio::select! {
            played = development::play(&stage, servers, &say) => played,
            () = stop.wished() => bail!("interrupted"),
        }
    })
    .await
}

/// What is played, and with what.
struct Stage<'a> {
    objects: &'a Objects,
    binaries: &'a Path,
    rate: u32,
}

impl Stage<'_> {
    /// From the first start to the last end. `mapped` says what is where; `make` makes databases.
    async fn play(
        &self,
        mapped: Vec<(String, String)>,
        make: impl AsyncFnOnce(&Path) -> anyhow::Result<()>,
        say: &impl Fn(String),
    ) -> anyhow::Result<()> {
        // Beside the servers, whose folder goes with them: the logs of the last run are kept.
        let folder = chart::root(LOGS);
        let _not_there = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder)?;
        let folder = folder.canonicalize()?;
        let [order, inventory, payment] = ports::free()?;
        let balancers = [
            Balancer::listen(order).await?,
            Balancer::listen(inventory).await?,
            Balancer::listen(payment).await?,
        ];
        let balanced = [order, inventory, payment];
        let plan = Plan::new(self.objects, self.binaries, &folder, mapped, balanced)?;
        let mut running = Vec::new();
        for service in SERVICES {
            running.push(plan.launch(service, 0)?);
        }
        for instance in &mut running {
            instance.wait_for_admin().await?;
            ensure!(!instance.is_well().await?, "{} is well without a database", instance.name());
        }
        say("services started, and wait for databases that are not there".to_owned());

        make(&folder).await?;
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

        rollout::play(&plan, &mut running, &balancers, self.rate, say).await?;
        for instance in &mut running {
            instance.end().await?;
        }
        say("every service ended well".to_owned());
        Ok(())
    }
}
