//! One service of a stack: killed and started again on the same data.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use oms_inventory::config::InventoryConfig;
use oms_messaging::Log;
use oms_order::{commands::Context, config::OrderConfig};
use oms_payment::config::PaymentConfig;
use oms_seams::{Seams, SystemClock, SystemIds};
use oms_service::{
    Admin, Database, DatabaseSettings, GrpcSettings, Host, Process, StartError, TlsSettings,
};
use sea_orm::DatabaseConnection;

use super::StackOptions;
use crate::CrashPlan;

const READY_WITHIN: Duration = Duration::from_secs(30);
const GONE_WITHIN: Duration = Duration::from_secs(30);

/// A service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// `oms-order`.
    Order,
    /// `oms-inventory`.
    Inventory,
    /// `oms-payment`.
    Payment,
}

#[derive(Debug)]
pub(super) struct Slot {
    name: Name,
    pub(super) crashes: Arc<CrashPlan>,
    up: Option<Up>,
}

#[derive(Debug)]
struct Up {
    host: Host,
    admin: Admin,
    grpc: SocketAddr,
    /// The order service's second port.
    orders: Option<SocketAddr>,
    database: Database,
    gateway: Option<DatabaseConnection>,
    commands: Option<Context>,
}

impl Slot {
    pub(super) fn new(name: Name) -> Self {
        Self { name, crashes: CrashPlan::new(), up: None }
    }

    pub(super) async fn start(
        &mut self,
        folder: &Path,
        options: &StackOptions,
        log: Arc<dyn Log>,
    ) -> Result<(), StartError> {
        if self.up.is_some() {
            return Ok(());
        }
        let seams = Seams {
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
            faults: self.crashes.faults(),
        };
        let up = match self.name {
            Name::Order => order(folder, options, seams, log).await?,
            Name::Inventory => inventory(folder, options, seams, log).await?,
            Name::Payment => payment(folder, options, seams, log).await?,
        };
        self.up = Some(up);
        Ok(())
    }

    pub(super) async fn ready(&self) -> anyhow::Result<()> {
        match &self.up {
            Some(up) => Ok(up.host.ready(READY_WITHIN).await?),
            None => anyhow::bail!("{:?} is down", self.name),
        }
    }

    /// # Panics
    /// When something of the service outlives the kill.
    pub(super) async fn kill(&mut self) {
        if let Some(up) = self.up.take() {
            up.host.kill();
            let gone = tokio::time::timeout(GONE_WITHIN, up.host.gone()).await;
            assert!(gone.is_ok(), "{:?} was killed, and is not gone", self.name);
        }
    }

    /// Ends every task without waiting, when the test itself has ended.
    pub(super) fn abandon(&self) {
        if let Some(up) = &self.up {
            up.host.kill();
        }
    }

    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.up.as_ref().map(|up| up.grpc)
    }

    pub(super) fn orders(&self) -> Option<SocketAddr> {
        self.up.as_ref().and_then(|up| up.orders)
    }

    pub(super) fn admin(&self) -> Option<SocketAddr> {
        self.up.as_ref().map(|up| up.admin.address())
    }

    pub(super) fn database(&self) -> Option<DatabaseConnection> {
        self.up.as_ref().map(|up| up.database.read.clone())
    }

    pub(super) fn commands(&self) -> Option<Context> {
        self.up.as_ref().and_then(|up| up.commands.clone())
    }

    pub(super) fn gateway(&self) -> Option<DatabaseConnection> {
        self.up.as_ref().and_then(|up| up.gateway.clone())
    }
}

fn file(folder: &Path, name: &str) -> DatabaseSettings {
    DatabaseSettings::at(format!("sqlite:{}", folder.join(name).display()))
}

/// A host in a process of its own, with an admin port.
async fn hosted(name: &'static str, seams: Seams) -> Result<(Host, Admin), StartError> {
    let process = Process::new();
    let admin = Admin::serve(&process, "test.admin.listen", "localhost:0").await?;
    Ok((Host::new(name, seams, process), admin))
}

async fn order(
    folder: &Path,
    options: &StackOptions,
    seams: Seams,
    log: Arc<dyn Log>,
) -> Result<Up, StartError> {
    let mut config = OrderConfig::default();
    config.order.database = file(folder, "order.db");
    config.order.grpc = GrpcSettings::at("localhost:0");
    "localhost:0".clone_into(&mut config.order.orders.listen);
    config.order.orders.tls = TlsSettings::off();
    config.order.messaging = options.messaging.clone();
    config.order.run_deadline_s = options.run_deadline_s.into();
    config.order.deadline_sweep_ms = 50;
    let (host, admin) = hosted("order", seams).await?;
    let running = oms_order::start_on(config, host.clone(), log).await?;
    let (grpc, orders) = (running.grpc, Some(running.orders));
    let (database, commands) = (running.database, Some(running.context));
    Ok(Up { host, admin, grpc, orders, database, gateway: None, commands })
}

async fn inventory(
    folder: &Path,
    options: &StackOptions,
    seams: Seams,
    log: Arc<dyn Log>,
) -> Result<Up, StartError> {
    let mut config = InventoryConfig::default();
    config.inventory.database = file(folder, "inventory.db");
    config.inventory.grpc = GrpcSettings::at("localhost:0");
    config.inventory.messaging = options.messaging.clone();
    config.inventory.reservation_ttl_s = options.reservation_ttl_s;
    config.inventory.expiry_sweep_ms = 50;
    let (host, admin) = hosted("inventory", seams).await?;
    let running = oms_inventory::start_on(config, host.clone(), log).await?;
    let (grpc, database) = (running.grpc, running.database);
    Ok(Up { host, admin, grpc, orders: None, database, gateway: None, commands: None })
}

async fn payment(
    folder: &Path,
    options: &StackOptions,
    seams: Seams,
    log: Arc<dyn Log>,
) -> Result<Up, StartError> {
    let mut config = PaymentConfig::default();
    config.payment.database = file(folder, "payment.db");
    config.payment.gateway.url = file(folder, "gateway.db").url;
    config.payment.gateway.slow_ms = options.slow_card_ms;
    config.payment.grpc = GrpcSettings::at("localhost:0");
    config.payment.messaging = options.messaging.clone();
    config.payment.worker.gateway_sweep_ms = 50;
    config.payment.worker.gateway_retry_ms_min = 20;
    config.payment.worker.gateway_retry_ms_max = 100;
    let (host, admin) = hosted("payment", seams).await?;
    let running = oms_payment::start_on(config, host.clone(), log).await?;
    let url = format!("sqlite://{}?mode=ro", folder.join("gateway.db").display());
    let gateway = sea_orm::Database::connect(url)
        .await
        .map_err(|error| StartError::other("the gateway's log", error))?;
    let (grpc, database, gateway) = (running.grpc, running.database, Some(gateway));
    Ok(Up { host, admin, grpc, orders: None, database, gateway, commands: None })
}
