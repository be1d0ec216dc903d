//! Kafka is stopped and started under load: customers do not notice.

use std::time::Instant;

use anyhow::ensure;
use tokio::task::spawn_blocking;

use super::{Told, Verdict};
use crate::{
    cluster::{System, Wishes, World},
    customers::{Load, Pace},
};

/// How much a service may grow while it cannot publish.
const GROWTH_MAX: u64 = 100 * 1024 * 1024;
const LOOKS: u32 = 4;

pub(super) async fn play(world: &World) -> anyhow::Result<Verdict> {
    let Some(kafka) = world.servers.kafka.clone() else {
        return Ok(Verdict::NotPlayed("this Kafka is not ours to stop".to_owned()));
    };
    let away = world.lengths.broker;
    let mut system = System::start(world, "broker-away", Wishes::default()).await?;
    let load = Load::start(&system, Pace::default());
    tokio::time::sleep(world.lengths.calm).await;
    let before = memory(&mut system)?;
    let stopping = kafka.clone();
    spawn_blocking(move || stopping.stop()).await??;
    let mut told = Told::injected(format!("Kafka away for {} s under load", away.as_secs()));
    let paid_before = load.paid();
    for look in 1..=LOOKS {
        let paid = load.paid();
        tokio::time::sleep(away / LOOKS).await;
        ensure!(load.paid() > paid, "nobody could pay in part {look} of {LOOKS} of the outage");
    }
    let paid = load.paid() - paid_before;
    told.held(format!("{paid} orders created and paid meanwhile"));
    let mut growth = Vec::new();
    for ((service, before), (_, after)) in before.iter().zip(memory(&mut system)?) {
        let grown = after.saturating_sub(*before);
        ensure!(grown < GROWTH_MAX, "{service} grew by {grown} bytes");
        growth.push(format!("{service} {} MB", grown / 1024 / 1024));
    }
    told.held(format!("memory grew by {}", growth.join(", ")));
    spawn_blocking(move || kafka.start()).await??;
    told.end(system, load, Instant::now()).await
}

fn memory(system: &mut System) -> anyhow::Result<Vec<(&'static str, u64)>> {
    let instances = system.all().iter();
    instances.map(|instance| Ok((instance.service.name(), instance.memory()?))).collect()
}
