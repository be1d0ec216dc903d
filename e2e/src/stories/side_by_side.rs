//! Two instances of every service side by side; one of each is killed and stays dead.

use std::time::Instant;

use anyhow::ensure;
use oms_events::Service;

use super::{Told, Verdict};
use crate::{
    cluster::{System, Wishes, World},
    customers::{Load, Pace},
};

pub(super) async fn play(world: &World) -> anyhow::Result<Verdict> {
    let wishes = Wishes { copies: 2, ..Wishes::default() };
    let mut system = System::start(world, "side-by-side", wishes).await?;
    let load = Load::start(&system, Pace::default());
    let mut told = Told::injected("one of two instances of each service killed under load");
    for service in [Service::Order, Service::Inventory, Service::Payment] {
        tokio::time::sleep(world.lengths.calm).await;
        system.instance(service, 0).kill().await?;
    }
    let healthy = Instant::now();
    let paid = load.paid();
    tokio::time::sleep(world.lengths.calm).await;
    ensure!(load.paid() > paid, "nobody could pay at the instances that are left");
    told.held("the others took over");
    told.end(system, load, healthy).await
}
