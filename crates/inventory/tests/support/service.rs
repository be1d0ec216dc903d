//! The whole service on a free port, its log simulated.

use std::{sync::Arc, time::Duration};

use oms_inventory::{InventoryConfig, Running, start_on};
use oms_messaging::{Event, Log, Record, SimulatedLog};
use oms_proto::oms_v1::inventory_service_client::InventoryServiceClient;
use oms_seams::Seams;
use oms_service::{
    Host, Process,
    testing::{Backend, TestDatabase, backends},
};
use tonic::transport::{Channel, Endpoint};

const TOPICS: [(&str, i32); 2] = [("oms.saga.events", 12), ("oms.saga.events.dlq", 1)];

/// A running service and what a test holds of it.
pub struct Service {
    pub host: Host,
    pub process: Process,
    pub running: Running,
    pub log: SimulatedLog,
    pub client: InventoryServiceClient<Channel>,
    pub config: InventoryConfig,
    pub database: TestDatabase,
}

impl Service {
    /// The service on every backend that can be tested on, each with its start-up catalogue.
    pub async fn everywhere() -> Vec<Self> {
        let mut services = Vec::new();
        for backend in backends() {
            services.push(Self::on(&backend).await);
        }
        services
    }

    async fn on(backend: &Backend) -> Self {
        let database = TestDatabase::empty(backend).await;
        let mut config = InventoryConfig::default();
        config.inventory.database = database.settings().clone();
        config.inventory.grpc.listen = "127.0.0.1:0".to_owned();
        config.inventory.messaging.poll_wait_ms = 5;
        let log = SimulatedLog::new(&TOPICS);
        Self::start(config, log, database).await
    }

    async fn start(config: InventoryConfig, log: SimulatedLog, database: TestDatabase) -> Self {
        let process = Process::new();
        let host = Host::new(oms_inventory::NAME, Seams::system(), process.clone());
        let running = start_on(config.clone(), host.clone(), Arc::new(log.clone())).await.unwrap();
        host.ready(Duration::from_secs(30)).await.unwrap();
        let endpoint = Endpoint::from_shared(format!("http://{}", running.grpc)).unwrap();
        let client = InventoryServiceClient::new(endpoint.connect_lazy());
        Self { host, process, running, log, client, config, database }
    }

    /// Drains, then starts once more on the same database and log.
    pub async fn restart(self) -> Self {
        self.host.drain(Duration::from_secs(10)).await;
        Self::start(self.config, self.log, self.database).await
    }

    /// Kills, then starts once more on the same database and log.
    pub async fn crash(self) -> Self {
        self.host.kill();
        self.host.gone().await;
        Self::start(self.config, self.log, self.database).await
    }

    /// Puts events on the log as order's relay would.
    pub async fn publish(&self, events: &[Event]) {
        let record = |event: &Event| Record {
            topic: "oms.saga.events".to_owned(),
            key: Some(event.subject.clone().into_bytes()),
            payload: event.to_payload().unwrap(),
            headers: vec![],
        };
        for report in self.log.publish(events.iter().map(record).collect()).await {
            report.unwrap();
        }
    }

    /// What inventory has put on the log about an order, by type.
    pub fn heard(&self, order: &str) -> Vec<String> {
        let records = self.log.records("oms.saga.events");
        let own = records.iter().map(|one| Event::parse(&one.record.payload).unwrap());
        own.filter(|event| event.source == "/oms/inventory" && event.subject == order)
            .map(|event| event.event_type)
            .collect()
    }
}

/// Asks until `found` says so; fails after half a minute.
pub async fn eventually(what: &str, mut found: impl AsyncFnMut() -> bool) {
    let asked = async {
        while !found().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let within = Duration::from_secs(30);
    assert!(tokio::time::timeout(within, asked).await.is_ok(), "never: {what}");
}
