//! PostgreSQL ends as in a power cut and comes back under load: what was acknowledged is there.

use std::time::Instant;

use oms_events::Service;
use tokio::task::spawn_blocking;

use super::{Told, Verdict};
use crate::{
    cluster::{System, Wishes, World},
    customers::{Load, Pace},
};

pub(super) async fn play(world: &World) -> anyhow::Result<Verdict> {
    let Some(postgres) = world.servers.postgres.clone() else {
        return Ok(Verdict::NotPlayed("this PostgreSQL is not ours to stop".to_owned()));
    };
    let away = world.lengths.database;
    let mut system = System::start(world, "database-away", Wishes::default()).await?;
    let load = Load::start(&system, Pace::default());
    tokio::time::sleep(world.lengths.calm).await;
    system.instance(Service::Order, 0).presence.goes();
    let stopping = postgres.clone();
    spawn_blocking(move || stopping.stop_at_once()).await??;
    tokio::time::sleep(away).await;
    spawn_blocking(move || postgres.start()).await??;
    let healthy = Instant::now();
    for instance in system.all() {
        instance.ready().await?;
    }
    let seconds = away.as_secs();
    let told = Told::injected(format!("PostgreSQL ended at once, away for {seconds} s under load"));
    tokio::time::sleep(world.lengths.calm).await;
    told.end(system, load, healthy).await
}
