//! The database of one service is away: it says so, and the other two go on.

use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use oms_events::Service;
use oms_proto::oms_v1::GetStockRequest;
use oms_servers::Postgres;
use oms_testkit::{Clients, requests::item};
use tokio::task::spawn_blocking;
use tonic::Code;
use tonic_types::StatusExt;

use super::{Told, Verdict};
use crate::{
    cluster::{System, Wishes, World},
    customers::{Load, Pace},
};

const ANSWER_WITHIN: Duration = Duration::from_secs(15);

pub(super) async fn play(world: &World) -> anyhow::Result<Verdict> {
    if world.servers.postgres.is_none() {
        return Ok(Verdict::NotPlayed("no PostgreSQL of our own is started here".to_owned()));
    }
    let folder = world.servers.folder().join("postgres-inventory");
    let own = spawn_blocking(move || Postgres::create(&folder)).await??;
    let wishes = Wishes { apart: Some((Service::Inventory, own.url())), ..Wishes::default() };
    let mut system = System::start(world, "one-database-away", wishes).await?;
    let clients = system.clients().await?;
    let load = Load::start(&system, Pace::default());
    tokio::time::sleep(world.lengths.calm).await;
    let stopping = own.clone();
    spawn_blocking(move || stopping.stop_at_once()).await??;
    let away = world.lengths.database;
    let begun = Instant::now();
    let seconds = away.as_secs();
    let mut told =
        Told::injected(format!("inventory's PostgreSQL away for {seconds} s under load"));
    let paid = load.paid();
    let refusals = refused_with_a_hint(&clients, begun + away).await?;
    told.held(format!("{refusals} calls to inventory: UNAVAILABLE with RetryInfo"));
    let paid = load.paid() - paid;
    ensure!(paid > 0, "nobody could pay while inventory's database was away");
    told.held(format!("{paid} orders created and paid meanwhile"));
    spawn_blocking(move || own.start()).await??;
    let healthy = Instant::now();
    for instance in system.all() {
        instance.ready().await?;
    }
    told.end(system, load, healthy).await
}

/// Asks all three until `until`: two answer, the third says when to come again.
async fn refused_with_a_hint(clients: &Clients, until: Instant) -> anyhow::Result<u32> {
    let mut refusals = 0;
    while Instant::now() < until {
        let asker = format!("asker-{refusals}");
        let created = clients.create(&asker, vec![item("SKU-001", 1, 100)]);
        tokio::time::timeout(ANSWER_WITHIN, created).await.context("order does not answer")??;
        let payment = clients.payment("00000000-0000-7000-8000-000000000000");
        let payment = tokio::time::timeout(ANSWER_WITHIN, payment).await;
        let refusal = payment.context("payment does not answer")?.err();
        let refusal = refusal.as_ref().and_then(|error| error.downcast_ref::<tonic::Status>());
        ensure!(refusal.is_some_and(|one| one.code() == Code::NotFound), "payment: {refusal:?}");
        let request = GetStockRequest { sku: "SKU-001".into() };
        let mut inventory = clients.inventory.clone();
        let stock = tokio::time::timeout(ANSWER_WITHIN, inventory.get_stock(request)).await;
        match stock.context("inventory does not answer")? {
            Ok(_) => bail!("inventory answers without its database"),
            Err(refusal) => {
                ensure!(refusal.code() == Code::Unavailable, "inventory: {refusal:?}");
                ensure!(refusal.get_details_retry_info().is_some(), "no RetryInfo: {refusal:?}");
                refusals += 1;
            }
        }
    }
    ensure!(refusals > 0, "inventory was never asked");
    Ok(refusals)
}
