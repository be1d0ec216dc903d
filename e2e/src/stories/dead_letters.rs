//! A bug of inventory turns the events of two orders into poison. Their later events wait behind
//! it, all other orders go on, and once the bug is mended an operator redrives them.

use std::{process::Stdio, time::Instant};

use anyhow::{Context, bail, ensure};
use oms_events::Service;
use oms_proto::oms_v1::{OrderStatus, ReservationStatus};
use oms_testkit::{
    Clients, eventually,
    requests::{cancel, item, pay},
};
use serde_json::Value;
use tokio::process::Command;

use super::{Told, Verdict, telling::ENDS_WITHIN};
use crate::{
    cluster::{System, Wishes, World},
    customers::{Load, Pace},
};

const VISA: &str = "pm_card_visa";
/// What an operator says.
const NOTE: &str = "inventory is mended";
const SERVICES: [Service; 3] = [Service::Order, Service::Inventory, Service::Payment];

/// The orders that meet the bug.
struct Unlucky {
    /// It is paid, and nothing else.
    kept: String,
    /// It is cancelled while its first event is parked.
    cancelled: String,
}

pub(super) async fn play(world: &World) -> anyhow::Result<Verdict> {
    let mut system = System::start(world, "dead-letters", Wishes::default()).await?;
    let operator = Operator::new(world, &system)?;
    let clients = system.clients().await?;
    let load = Load::start(&system, Pace { clients: 4, ..Pace::default() });
    tokio::time::sleep(world.lengths.calm).await;
    let unlucky = poison(&mut system, &clients).await?;
    let mut told = Told::injected("a bug of inventory that makes events of two orders poison");

    operator.sees(Service::Inventory, &unlucky.kept, &["unclassified"]).await?;
    let cancelled = cancel(&unlucky.cancelled);
    operator.sees(Service::Inventory, &unlucky.cancelled, &["unclassified"]).await?;
    clients.orders.clone().cancel_order(cancelled).await?;
    let both = ["unclassified", "parked_behind"];
    operator.sees(Service::Inventory, &unlucky.cancelled, &both).await?;
    told.held("an event of an order with poison waits behind it");
    for service in [Service::Order, Service::Payment] {
        operator.sees(service, &unlucky.kept, &[]).await?;
    }
    others_go_on(&clients, &load, &mut told).await?;

    operator.redrive(&unlucky.kept, &["--dry-run"], 1, "FAILED").await?;
    operator.redrive(&unlucky.kept, &[], 1, "FAILED").await?;
    operator.sees(Service::Inventory, &unlucky.kept, &["unclassified"]).await?;
    told.held("redriven too early it fails again, stays parked, and the operator is told");

    system.mend().await?;
    let healthy = Instant::now();
    for order in [&unlucky.kept, &unlucky.cancelled] {
        operator.redrive(order, &["--dry-run"], 0, "REDRIVEN").await?;
    }
    operator.sees(Service::Inventory, &unlucky.cancelled, &both).await?;
    for order in [&unlucky.kept, &unlucky.cancelled] {
        operator.redrive(order, &["--note", NOTE], 0, "REDRIVEN").await?;
        operator.sees(Service::Inventory, order, &[]).await?;
    }
    as_if_nothing_had_happened(&clients, &unlucky, &mut told).await?;
    told.end(system, load, healthy).await
}

/// Two orders whose first event inventory cannot take.
async fn poison(system: &mut System, clients: &Clients) -> anyhow::Result<Unlucky> {
    let buy = async |name: &str| clients.create(name, vec![item("SKU-001", 1, 100)]).await;
    let kept = buy("unlucky").await?;
    let cancelled = buy("unlucky-too").await?;
    system.poison(&[&kept, &cancelled]).await?;
    for order in [&kept, &cancelled] {
        clients.orders.clone().pay_order(pay(order, VISA)).await?;
    }
    Ok(Unlucky { kept, cancelled })
}

/// Whoever orders the same meanwhile gets it, and so do all customers.
async fn others_go_on(clients: &Clients, load: &Load, told: &mut Told) -> anyhow::Result<()> {
    let paid = load.paid();
    for n in 0..3 {
        let items = vec![item("SKU-001", 1, 100)];
        let lucky = clients.buy(&format!("lucky-{n}"), items, VISA).await?;
        clients.reaches(&lucky, OrderStatus::Confirmed).await.context("another order")?;
    }
    let more = eventually(ENDS_WITHIN, || async {
        let more = load.paid() - paid;
        Ok(if more >= 20 { Ok(more) } else { Err(format!("{more} orders paid meanwhile")) })
    });
    told.held(format!("3 orders of the same SKU confirmed and {} paid meanwhile", more.await?));
    Ok(())
}

/// Each ended as its customer wanted, and its timeline says who helped.
async fn as_if_nothing_had_happened(
    clients: &Clients,
    unlucky: &Unlucky,
    told: &mut Told,
) -> anyhow::Result<()> {
    clients.reaches(&unlucky.kept, OrderStatus::Confirmed).await?;
    clients.reaches(&unlucky.cancelled, OrderStatus::Canceled).await?;
    let ends = [
        (&unlucky.kept, ReservationStatus::Committed, 1),
        (&unlucky.cancelled, ReservationStatus::Released, 2),
    ];
    for (order, reservation, redriven) in ends {
        eventually(ENDS_WITHIN, || async {
            let held = clients.reservation(order).await?.status();
            let story = clients.story(order).await?;
            let noted = story.iter().filter(|entry| *entry == "EventRedriven").count();
            let so = held == reservation && noted == redriven;
            Ok(if so { Ok(()) } else { Err(format!("{order}: {held:?}, {story:?}")) })
        })
        .await?;
    }
    let story = clients.story(&unlucky.kept).await?;
    let story: Vec<&String> = story.iter().filter(|entry| *entry != "EventRedriven").collect();
    ensure!(story == ["OrderCreated", "reserved", "paid", "confirmed"], "{story:?}");
    told.held("mended and redriven, one is confirmed and the other cancelled, its stock back");
    told.held("the timelines tell what was redriven, and besides that nothing unusual");
    Ok(())
}

/// Somebody with the `oms` program and the three admin ports.
struct Operator {
    program: std::path::PathBuf,
    ports: Vec<(Service, String)>,
}

impl Operator {
    fn new(world: &World, system: &System) -> anyhow::Result<Self> {
        let program = world.binaries.join("oms");
        ensure!(program.exists(), "{} is missing: run `make build`", program.display());
        let mut ports = Vec::new();
        for service in SERVICES {
            let instance = system.of(service).next().context("no instance")?;
            ports.push((service, instance.admin_address()));
        }
        Ok(Self { program, ports })
    }

    /// Runs `oms dlq …` at a service's port; its exit code and answer.
    async fn dlq(&self, at: Service, words: &[&str]) -> anyhow::Result<(i32, Value)> {
        let port = self.ports.iter().find(|(service, _)| *service == at);
        let (_, address) = port.context("no such port")?;
        let mut command = Command::new(&self.program);
        command.arg("dlq").args(words).args(["--json", "--admin-addr", address]);
        command.stdin(Stdio::null()).kill_on_drop(true);
        let output = tokio::time::timeout(ENDS_WITHIN, command.output()).await??;
        let code = output.status.code().unwrap_or(-1);
        let Ok(answer) = serde_json::from_slice(&output.stdout) else {
            bail!("oms dlq {words:?}: {code}: {}", String::from_utf8_lossy(&output.stderr));
        };
        Ok((code, answer))
    }

    /// Waits until the letters of an order are parked for these reasons, in this order.
    async fn sees(&self, at: Service, order: &str, reasons: &[&str]) -> anyhow::Result<()> {
        eventually(ENDS_WITHIN, || async {
            let (_, answer) = self.dlq(at, &["list", "--order", order]).await?;
            let letters = answer["dead_letters"].as_array().map_or(&[][..], Vec::as_slice);
            let found: Vec<_> =
                letters.iter().filter_map(|letter| letter["reason"].as_str()).collect();
            let so = found == reasons;
            Ok(if so { Ok(()) } else { Err(format!("{order} at {at:?}: {letters:?}")) })
        })
        .await
    }

    /// Redrives an order's letters in inventory, and checks how that ends for each of them.
    async fn redrive(
        &self,
        order: &str,
        flags: &[&str],
        code: i32,
        outcome: &str,
    ) -> anyhow::Result<()> {
        let words = [&["redrive", "--order", order], flags].concat();
        let (ended, answer) = self.dlq(Service::Inventory, &words).await?;
        let results = answer["results"].as_array().map_or(&[][..], Vec::as_slice);
        let wanted = format!("DEAD_LETTER_OUTCOME_{outcome}");
        let all = results.iter().all(|one| one["outcome"] == wanted.as_str());
        ensure!(ended == code && all && !results.is_empty(), "{words:?}: {ended}: {answer}");
        Ok(())
    }
}
