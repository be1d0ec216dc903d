//! The embedded arrangement: three services, a broker and four databases in one process.
//!
//! An arrangement, not a mode: it calls the same `start` of the three service crates that their own
//! binaries call.

use std::{net::SocketAddr, path::Path, time::Duration};

use oms_events::{DEAD_LETTER_TOPIC, TOPIC};
use oms_messaging::{KafkaSettings, kafka::EmbeddedBroker};
use oms_seams::Seams;
use oms_service::{Admin, DRAIN_MAX, Host, NotReady, Process, StartError, Tls};
use tokio_util::sync::CancellationToken;

use crate::{clients::Addresses, config::OmsConfig};

/// The services of the process.
pub(crate) const SERVICES: [&str; 3] = ["order", "inventory", "payment"];

/// The port of `orders.Orders`.
pub(crate) struct OrdersPort {
    pub(crate) at: SocketAddr,
    /// What else than plaintext it speaks.
    pub(crate) tls: Option<Tls>,
}

/// A running system.
pub(crate) struct System {
    config: OmsConfig,
    process: Process,
    broker: EmbeddedBroker,
    admin: Admin,
    kafka: SocketAddr,
    addresses: Addresses,
    orders: OrdersPort,
    hosts: Vec<Host>,
    forwarding: CancellationToken,
}

impl System {
    /// Takes every port, then starts broker and services.
    ///
    /// # Errors
    /// The first thing that is wrong, in one line that names the setting. Nothing runs then.
    pub(crate) async fn start(config: OmsConfig) -> Result<Self, StartError> {
        let process = Process::new();
        // All ports first: a taken one is told before anything begins.
        for (setting, listen) in [
            ("order.grpc.listen", &config.order.grpc.listen),
            ("order.orders.listen", &config.order.orders.listen),
            ("inventory.grpc.listen", &config.inventory.grpc.listen),
            ("payment.grpc.listen", &config.payment.grpc.listen),
            ("oms.admin.listen", &config.oms.admin.listen),
        ] {
            process.bind(setting, listen).await?;
        }
        let kafka = process.bind("oms.kafka_listen", &config.oms.kafka_listen).await?;

        let topics = [(TOPIC, config.oms.partitions), (DEAD_LETTER_TOPIC, 1)];
        let broker = EmbeddedBroker::start(&topics)
            .map_err(|error| StartError::other("embedded broker", error))?;
        let forwarding = CancellationToken::new();
        for listener in process.listeners("oms.kafka_listen")? {
            process.tasks().spawn("kafka", broker.forward(listener, forwarding.clone()));
        }
        let config = config.with_broker(broker.bootstrap());
        let admin = Admin::serve(&process, "oms.admin.listen", &config.oms.admin.listen).await?;

        let host = |name| Host::new(name, Seams::system(), process.clone());
        let hosts: Vec<Host> = SERVICES.into_iter().map(host).collect();
        match start_services(&config, &hosts).await {
            Ok((addresses, orders)) => Ok(Self {
                config,
                process,
                broker,
                admin,
                kafka,
                addresses,
                orders,
                hosts,
                forwarding,
            }),
            Err(error) => {
                for host in &hosts {
                    host.kill();
                }
                Err(error)
            }
        }
    }

    /// A system in a folder of its own on free ports, ready to be used.
    pub(crate) async fn scratch(folder: &Path, log_level: &str) -> anyhow::Result<Self> {
        let mut config = OmsConfig::default().on_free_ports();
        log_level.clone_into(&mut config.log.level);
        config.keep_data_in(folder);
        let system = Self::start(config).await?;
        system.ready(Duration::from_secs(30)).await?;
        Ok(system)
    }

    /// Waits until every service is ready.
    ///
    /// # Errors
    /// Which service is not, and why.
    pub(crate) async fn ready(&self, within: Duration) -> Result<(), NotReady> {
        for host in &self.hosts {
            host.ready(within).await?;
        }
        Ok(())
    }

    /// Resolves, with the reason, when a task has failed and the system must stop.
    pub(crate) async fn failed(&self) -> String {
        self.process.failed().wait().await.to_string()
    }

    /// Stops in order: no new calls, then workers, then the broker.
    pub(crate) async fn drain(self) {
        let drains = self.hosts.iter().map(|host| host.drain(DRAIN_MAX));
        futures::future::join_all(drains).await;
        drop(self.admin);
        self.forwarding.cancel();
        self.broker.stop().await;
    }

    /// Where the services listen.
    pub(crate) fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// Where `orders.Orders` has its own port.
    pub(crate) fn orders(&self) -> &OrdersPort {
        &self.orders
    }

    /// Where metrics and health are.
    pub(crate) fn admin(&self) -> SocketAddr {
        self.admin.address()
    }

    /// Kafka's bootstrap address.
    pub(crate) fn bootstrap(&self) -> SocketAddr {
        self.kafka
    }

    /// How a further client finds the broker.
    pub(crate) fn kafka(&self) -> &KafkaSettings {
        &self.config.kafka
    }
}

async fn start_services(
    config: &OmsConfig,
    hosts: &[Host],
) -> Result<(Addresses, OrdersPort), StartError> {
    let [order, inventory, payment] = hosts else {
        return Err(StartError::other("oms", "three hosts are needed"));
    };
    // In this order, so that whoever is heard is there before whoever speaks.
    let inventory = oms_inventory::start(config.inventory_config(), inventory.clone()).await?;
    let payment = oms_payment::start(config.payment_config(), payment.clone()).await?;
    let order = oms_order::start(config.order_config(), order.clone()).await?;
    let addresses =
        Addresses { order: order.grpc, inventory: inventory.grpc, payment: payment.grpc };
    Ok((addresses, OrdersPort { at: order.orders, tls: order.tls }))
}
