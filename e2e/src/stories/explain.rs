//! Orders that do not move, and what `oms explain` says about each to somebody at a terminal.

use std::{path::PathBuf, process::Stdio};

use anyhow::{Context, ensure};
use oms_events::Service;
use oms_proto::oms_v1::OrderStatus;
use oms_testkit::{Clients, eventually, requests::item};
use tokio::{process::Command, task::spawn_blocking};

use super::{Told, Verdict, telling::ENDS_WITHIN};
use crate::cluster::{System, Wishes, World};

const SERVICES: [Service; 3] = [Service::Order, Service::Inventory, Service::Payment];
const VISA: &str = "pm_card_visa";
/// How long the slow card takes here, in milliseconds: long enough to be asked about.
const SLOW_MS: &str = "8000";
/// The gateway is not given up meanwhile.
const PATIENCE_MS: &str = "30000";

pub(super) async fn play(world: &World) -> anyhow::Result<Verdict> {
    let slow = [
        ("OMS_PAYMENT__GATEWAY__SLOW_MS", SLOW_MS),
        ("OMS_PAYMENT__WORKER__GATEWAY_TIMEOUT_MS", PATIENCE_MS),
    ];
    let environment = slow.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let wishes = Wishes { environment, ..Wishes::default() };
    let mut system = System::start(world, "explain", wishes).await?;
    let operator = Operator::new(world, &system)?;
    let clients = system.clients().await?;
    let mut told = Told::injected("inventory stopped, a slow gateway, a poisoned event");

    well(&clients, &operator).await?;
    inventory_stopped(&mut system, &clients, &operator, &mut told).await?;
    gateway_slow(&clients, &operator, &mut told).await?;
    let poisoned = parked(&mut system, &clients, &operator, &mut told).await?;
    broker_away(world, &mut system, &clients, &operator, &mut told).await?;

    system.mend().await?;
    operator.redrive(&poisoned).await?;
    clients.reaches(&poisoned, OrderStatus::Confirmed).await?;
    system.rest(ENDS_WITHIN).await?;
    told.finish(system).await
}

/// Nothing is told about an order that went its way.
async fn well(clients: &Clients, operator: &Operator) -> anyhow::Result<()> {
    let order = buy(clients, "explain-well", VISA).await?;
    clients.reaches(&order, OrderStatus::Confirmed).await?;
    operator.reads(&order, &["nothing is owed, and nothing waits"]).await?;
    let page = operator.explain(&order).await?;
    ensure!(!page.contains("cause:"), "{page}");
    Ok(())
}

async fn inventory_stopped(
    system: &mut System,
    clients: &Clients,
    operator: &Operator,
    told: &mut Told,
) -> anyhow::Result<()> {
    system.instance(Service::Inventory, 0).kill().await?;
    let order = buy(clients, "explain-stopped", VISA).await?;
    let cause = "cause: inventory is stopped, or no admin port asked is its own (";
    let next = "next: start inventory, or name its admin port with --admin-addr";
    operator.reads(&order, &[cause, " did not answer)", next]).await?;
    told.held("inventory stopped: \"inventory is stopped …; start inventory\"");
    system.instance(Service::Inventory, 0).start().await?;
    clients.reaches(&order, OrderStatus::Confirmed).await?;
    operator.reads(&order, &["nothing is owed, and nothing waits"]).await
}

async fn gateway_slow(
    clients: &Clients,
    operator: &Operator,
    told: &mut Told,
) -> anyhow::Result<()> {
    let order = buy(clients, "explain-slow", "pm_card_slow").await?;
    let cause = "cause: the gateway owes payment the outcome of a capture";
    operator.reads(&order, &[cause, "oms_gateway_call_duration_seconds"]).await?;
    told.held("gateway slow: \"the gateway owes payment the outcome of a capture\"");
    clients.reaches(&order, OrderStatus::Confirmed).await.map(drop)
}

/// The order whose event is parked stays so for now.
async fn parked(
    system: &mut System,
    clients: &Clients,
    operator: &Operator,
    told: &mut Told,
) -> anyhow::Result<String> {
    let order = clients.create("explain-parked", vec![item("SKU-001", 1, 100)]).await?;
    system.poison(&[&order]).await?;
    let pay = oms_testkit::requests::pay(&order, VISA);
    clients.orders.clone().pay_order(pay).await?;
    let cause = "cause: inventory could not apply order.submitted and parked it: unclassified";
    operator.reads(&order, &[cause, "next: oms dlq show inventory ", "oms dlq redrive"]).await?;
    told.held("event parked: \"inventory could not apply order.submitted …; oms dlq show …\"");
    Ok(order)
}

async fn broker_away(
    world: &World,
    system: &mut System,
    clients: &Clients,
    operator: &Operator,
    told: &mut Told,
) -> anyhow::Result<()> {
    let Some(kafka) = world.servers.kafka.clone() else {
        told.held("the broker is not ours to stop: that it is away was not asked about");
        return Ok(());
    };
    let stopping = kafka.clone();
    spawn_blocking(move || stopping.stop()).await??;
    told.injected.push("Kafka stopped".to_owned());
    let order = buy(clients, "explain-broker", VISA).await?;
    let cause = "cause: the broker does not answer inventory, order, payment: ";
    let waits = "cause: order said order.created ";
    let next = "next: bring the broker back";
    operator.reads(&order, &[cause, next, waits, "and the broker has not got it"]).await?;
    let page = operator.explain(&order).await?;
    ensure!(!page.contains("its consumer is down"), "a consequence is told as a cause: {page}");
    told.held("broker away: \"the broker does not answer inventory, order, payment\"");
    spawn_blocking(move || kafka.start()).await??;
    for instance in system.all() {
        instance.ready().await?;
    }
    clients.reaches(&order, OrderStatus::Confirmed).await?;
    for service in SERVICES {
        let log = world.logs.join("explain").join(format!("{}-0.log", service.name()));
        let times = std::fs::read_to_string(log)?.matches("the log cannot be read").count();
        ensure!(times <= 1, "{} says {times} times that the broker is away", service.name());
    }
    told.held("each log says at most once that the broker is away");
    Ok(())
}

async fn buy(clients: &Clients, customer: &str, method: &str) -> anyhow::Result<String> {
    clients.buy(customer, vec![item("SKU-001", 1, 100)], method).await
}

/// Somebody with the `oms` program who knows all admin ports.
struct Operator {
    program: PathBuf,
    ports: String,
    inventory: String,
}

impl Operator {
    fn new(world: &World, system: &System) -> anyhow::Result<Self> {
        let program = world.binaries.join("oms");
        ensure!(program.exists(), "{} is missing: run `make build`", program.display());
        let at = |service| {
            let first = system.of(service).next().context("no instance");
            first.map(|instance| instance.admin_address())
        };
        let [order, inventory, payment] = SERVICES.map(at);
        let (order, inventory, payment) = (order?, inventory?, payment?);
        Ok(Self { program, ports: [order, inventory.clone(), payment].join(","), inventory })
    }

    /// What is printed.
    async fn explain(&self, order: &str) -> anyhow::Result<String> {
        let (code, page) = self.oms(&["explain", order, "--admin-addr", &self.ports]).await?;
        ensure!(code == Some(0), "oms explain: {code:?}: {page}");
        Ok(page)
    }

    /// Waits until the explanation says all of it.
    async fn reads(&self, order: &str, words: &[&str]) -> anyhow::Result<()> {
        eventually(ENDS_WITHIN, || async {
            let page = self.explain(order).await?;
            let missing = words.iter().find(|words| !page.contains(**words));
            Ok(missing.map_or(Ok(()), |missing| Err(format!("{missing:?} is missing in\n{page}"))))
        })
        .await
    }

    async fn redrive(&self, order: &str) -> anyhow::Result<()> {
        let words = ["dlq", "redrive", "--order", order, "--note", "mended"];
        let (code, said) =
            self.oms(&[&words[..], &["--admin-addr", &self.inventory]].concat()).await?;
        ensure!(code == Some(0), "oms dlq redrive: {code:?}: {said}");
        Ok(())
    }

    /// Its exit code, and all that it printed.
    async fn oms(&self, words: &[&str]) -> anyhow::Result<(Option<i32>, String)> {
        let mut command = Command::new(&self.program);
        command.args(words).stdin(Stdio::null()).kill_on_drop(true);
        let output = tokio::time::timeout(ENDS_WITHIN, command.output()).await??;
        let said = [output.stdout, output.stderr].concat();
        Ok((output.status.code(), String::from_utf8(said)?))
    }
}
