//! What Jaeger shows of runs: paid, declined, cancelled meanwhile, and one whose inventory was
//! stopped. The same is asked of a collector in a test of this crate.

use anyhow::{Context, ensure};
use oms_events::Service;
use oms_proto::oms_v1::OrderStatus;
use oms_testkit::eventually;

use super::{Told, Verdict, telling::ENDS_WITHIN};
use crate::{
    cluster::{System, Wishes, World},
    traces::{Source, runs},
};

/// How often spans leave, in milliseconds.
const EXPORT_EVERY_MS: &str = "100";

pub(super) async fn play(world: &World) -> anyhow::Result<Verdict> {
    let Some(jaeger) = world.servers.jaeger() else {
        let why = "no Jaeger: install Go 1.21 or newer, which builds it, or name one by \
                   OMS_TEST_JAEGER_OTLP and OMS_TEST_JAEGER";
        return Ok(Verdict::NotPlayed(why.to_owned()));
    };
    let environment = [
        ("OMS_TRACES__ENDPOINT", jaeger.otlp.as_str()),
        ("OMS_TRACES__EXPORT_DELAY_MS", EXPORT_EVERY_MS),
    ];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let wishes = Wishes { environment, ..Wishes::default() };
    let mut system = System::start(world, "traces", wishes).await?;
    let clients = system.clients().await?;
    let spans = Source::Jaeger(&jaeger);
    let away = world.lengths.service;
    let mut told = Told::injected(format!("inventory killed for {} s", away.as_secs()));

    let tree = runs::paid(&clients, spans).await?;
    told.held(format!("paid: one trace of {} spans, no orphan", tree.size()));
    let tree = runs::declined(&clients, spans).await?;
    told.held(format!("declined: one trace of {} spans until the stock is back", tree.size()));
    let [paying, canceling] = runs::cancelled(&clients, spans).await?;
    told.held(format!(
        "cancelled at the gateway: a trace of {} spans, and one of {} that links to it",
        paying.size(),
        canceling.size()
    ));

    system.instance(Service::Inventory, 0).kill().await?;
    let bought = runs::buy(&clients, "see-away", "").await?;
    published(&system).await?;
    tokio::time::sleep(away).await;
    let seen = clients.order(&bought.order).await?.order.unwrap_or_default();
    ensure!(seen.status() == OrderStatus::Pending, "{:?} without inventory", seen.status());
    system.instance(Service::Inventory, 0).start().await?;
    let tree = runs::confirmed(&clients, spans, &bought).await?;
    told.held(format!("inventory away: still one trace, of {} spans", tree.size()));
    system.rest(ENDS_WITHIN).await?;
    told.finish(system).await
}

/// Waits until the broker has everything that order has said.
async fn published(system: &System) -> anyhow::Result<()> {
    let order = system.of(Service::Order).next().context("no order service")?;
    eventually(ENDS_WITHIN, || async {
        let pending = order.metric("oms_outbox_pending").await?;
        Ok(if pending < 1.0 { Ok(()) } else { Err(format!("{pending} events wait")) })
    })
    .await
}
