//! Every branch of the saga, all at once.

use std::time::Instant;

use anyhow::{Context, ensure};
use oms_testkit::Branch;
use tokio::task::JoinSet;

use super::{Told, Verdict, telling::ENDS_WITHIN};
use crate::cluster::{System, Wishes, World};

pub(super) async fn play(world: &World) -> anyhow::Result<Verdict> {
    let system = System::start(world, "scenarios", Wishes::default()).await?;
    let clients = system.clients().await?;
    let mut playing = JoinSet::new();
    for branch in Branch::ALL {
        let clients = clients.clone();
        playing.spawn(async move {
            // A customer of its own, as the audit wants.
            let name = format!("{branch:?}");
            let order = branch.play_as(&clients, &name, &name).await;
            anyhow::Ok((branch, order.context(name)?))
        });
    }
    let begun = Instant::now();
    let mut told = Told::injected("nothing");
    for played in playing.join_all().await {
        let (branch, order) = played?;
        let seen = clients.order(&order).await?.order.unwrap_or_default();
        ensure!(seen.status() == branch.ends(), "{branch:?} ended {:?}", seen.status());
        told.held(format!("{branch:?} ended {:?}", branch.ends()));
    }
    system.rest(ENDS_WITHIN.saturating_sub(begun.elapsed())).await?;
    told.held = vec![told.held.join(", ")];
    told.finish(system).await
}
