//! The database of one service is away: it says so, and the other two go on.

use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use oms_events::Service;
use oms_proto::{
    oms_v1::{GetPaymentRequest, GetStockRequest},
    orders::{GetOrdersRequest, UpdateOrderStatusRequest},
};
use oms_servers::Postgres;
use oms_testkit::{Clients, requests};
use tokio::task::spawn_blocking;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::{Told, Verdict};
use crate::{
    cluster::{System, Wishes, World},
    customers::{Load, Pace},
};

const ANSWER_WITHIN: Duration = Duration::from_secs(15);
const SERVICES: [Service; 3] = [Service::Order, Service::Inventory, Service::Payment];
/// An order nobody has: who looks for it needs a database.
const NOBODYS: &str = "00000000-0000-7000-8000-000000000000";

/// The story of one service's database.
pub(super) async fn play(world: &World, of: Service) -> anyhow::Result<Verdict> {
    if world.servers.postgres.is_none() {
        return Ok(Verdict::NotPlayed("no PostgreSQL of our own is started here".to_owned()));
    }
    let name = of.name();
    let folder = world.servers.folder().join(format!("postgres-{name}"));
    let own = spawn_blocking(move || Postgres::create(&folder)).await??;
    let wishes = Wishes { apart: Some((of, own.url())), ..Wishes::default() };
    let mut system = System::start(world, &format!("{name}-database-away"), wishes).await?;
    let clients = system.clients().await?;
    let load = Load::start(&system, Pace::default());
    tokio::time::sleep(world.lengths.calm).await;
    if of == Service::Order {
        // It tells customers to come again, for longer than any of them would try.
        system.instance(of, 0).presence.goes();
    }
    let stopping = own.clone();
    spawn_blocking(move || stopping.stop_at_once()).await??;
    let away = world.lengths.database;
    let begun = Instant::now();
    let mut told =
        Told::injected(format!("{name}'s PostgreSQL away for {} s under load", away.as_secs()));
    let paid = load.paid();
    let refusals = refused_with_a_hint(&clients, of, begun + away).await?;
    told.held(format!("{refusals} calls to {name}: UNAVAILABLE with RetryInfo"));
    if of != Service::Order {
        let paid = load.paid() - paid;
        ensure!(paid > 0, "nobody could pay while {name}'s database was away");
        told.held(format!("{paid} orders created and paid meanwhile"));
    }
    spawn_blocking(move || own.start()).await??;
    let healthy = Instant::now();
    for instance in system.all() {
        instance.ready().await?;
    }
    told.end(system, load, healthy).await
}

/// Asks all three until `until`: two answer, the third says when to come again.
async fn refused_with_a_hint(
    clients: &Clients,
    away: Service,
    until: Instant,
) -> anyhow::Result<u32> {
    let mut refusals = 0;
    while Instant::now() < until {
        for service in SERVICES {
            let name = service.name();
            let asked = tokio::time::timeout(ANSWER_WITHIN, ask(clients, service, refusals)).await;
            match asked.with_context(|| format!("{name} does not answer"))? {
                Ok(()) if service == away => bail!("{name} answers without its database"),
                Ok(()) => {}
                Err(refusal) if service == away => {
                    ensure!(refusal.code() == Code::Unavailable, "{name}: {refusal:?}");
                    ensure!(refusal.get_details_retry_info().is_some(), "no hint: {refusal:?}");
                    refusals += 1;
                }
                Err(refusal) => bail!("{name}: {refusal:?}"),
            }
        }
    }
    ensure!(refusals > 0, "{} was never asked", away.name());
    Ok(refusals)
}

/// Something that a service cannot answer without its database; order is asked by both its APIs.
async fn ask(clients: &Clients, service: Service, number: u32) -> Result<(), Status> {
    match service {
        Service::Order if number % 3 == 1 => {
            clients.editable.clone().get_orders(GetOrdersRequest::default()).await.map(drop)
        }
        Service::Order if number % 3 == 2 => {
            let (order_id, status) = (NOBODYS.into(), "Shipped".into());
            let request = UpdateOrderStatusRequest { order_id, status };
            looked(clients.editable.clone().update_order_status(request).await)
        }
        Service::Order => {
            let items = vec![requests::item("SKU-001", 1, 100)];
            let request = requests::create(&format!("asker-{number}"), items);
            clients.orders.clone().create_order(request).await.map(drop)
        }
        Service::Inventory => {
            let request = GetStockRequest { sku: "SKU-001".into() };
            clients.inventory.clone().get_stock(request).await.map(drop)
        }
        Service::Payment => {
            let request = GetPaymentRequest { order_id: NOBODYS.into() };
            looked(clients.payments.clone().get_payment(request).await)
        }
    }
}

/// Whoever says that there is no such order has looked.
fn looked<T>(answer: Result<T, Status>) -> Result<(), Status> {
    match answer {
        Err(unknown) if unknown.code() == Code::NotFound => Ok(()),
        answered => answered.map(drop),
    }
}
