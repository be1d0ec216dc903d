//! The whole topic is read once more from the first record into the running system: nothing
//! changes.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::ensure;
use oms_events::Service;
use oms_testkit::eventually;

use super::{Told, Verdict, telling::ENDS_WITHIN};
use crate::{
    cluster::{System, Wishes, World},
    customers::{Load, Pace},
};

/// How long the topic may take to be read again.
const READ_WITHIN: Duration = Duration::from_secs(120);
/// Differences that an error repeats.
const DIFFERENCES_MAX: usize = 10;
const SERVICES: [Service; 3] = [Service::Order, Service::Inventory, Service::Payment];

pub(super) async fn play(world: &World) -> anyhow::Result<Verdict> {
    let mut system = System::start(world, "replay", Wishes::default()).await?;
    let first = Load::start(&system, Pace::default());
    tokio::time::sleep(world.lengths.broker).await;
    let first = first.end().await?;
    system.rest(ENDS_WITHIN).await?;
    let before = system.decisions().await?;
    let load = Load::start(&system, Pace { clients: 4, name: "second", ..Pace::default() });
    for service in SERVICES {
        // Kafka lets a group be put back only while it has no members.
        ensure!(system.instance(service, 0).drain().await?.success(), "{service:?} did not drain");
        system.rewind(service).await?;
        system.instance(service, 0).start().await?;
    }
    let mut told = Told::injected("every group put back to the first record under load");
    for service in SERVICES {
        read_again(&system, service).await?;
        let again = system.instance(service, 0).metric("oms_inbox_duplicates_total").await?;
        ensure!(again > 0.0, "{service:?} met no event it knew: nothing was replayed");
        told.held(format!("{} read {again:.0} events it knew", service.name()));
    }
    let healthy = Instant::now();
    first.ended_well(&system.statuses().await?)?;
    unchanged(&before, &system.decisions().await?)?;
    told.held(format!("{} rows and events unchanged", before.len()));
    told.end(system, load, healthy).await
}

/// Waits until a service has nothing before it.
async fn read_again(system: &System, service: Service) -> anyhow::Result<()> {
    eventually(READ_WITHIN, || async {
        // Under load there is always a little.
        let lag = system.lag(service).await?;
        Ok(if lag < 50 { Ok(()) } else { Err(format!("{service:?} has {lag} records before it")) })
    })
    .await
}

fn unchanged(
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
) -> anyhow::Result<()> {
    let changed = before.iter().filter(|(id, row)| after.get(*id) != Some(row));
    let changed: Vec<String> = changed
        .map(|(id, row)| format!("{id}: {row}\n  now {:?}", after.get(id)))
        .take(DIFFERENCES_MAX)
        .collect();
    ensure!(changed.is_empty(), "the replay changed:\n{}", changed.join("\n"));
    ensure!(!before.is_empty(), "there was nothing to replay");
    Ok(())
}
