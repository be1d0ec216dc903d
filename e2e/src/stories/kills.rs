//! `kill -9` of each service in turn under load.

use std::time::Instant;

use oms_events::Service;

use super::{Told, Verdict};
use crate::{
    cluster::{System, Wishes, World},
    customers::{Load, Pace},
};

pub(super) async fn play(world: &World) -> anyhow::Result<Verdict> {
    let mut system = System::start(world, "kills", Wishes::default()).await?;
    let load = Load::start(&system, Pace::default());
    let mut told = Told::default();
    for service in [Service::Order, Service::Inventory, Service::Payment] {
        tokio::time::sleep(world.lengths.calm).await;
        let before = load.paid();
        let instance = system.instance(service, 0);
        instance.kill().await?;
        let killed = Instant::now();
        instance.start().await?;
        told.injected.push(format!(
            "kill -9 of {} under load, ready again {:.1} s later; {} orders paid meanwhile",
            service.name(),
            killed.elapsed().as_secs_f64(),
            load.paid() - before
        ));
    }
    let healthy = Instant::now();
    tokio::time::sleep(world.lengths.calm).await;
    told.end(system, load, healthy).await
}
