//! The service under test.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use oms_messaging::{Event, Log, SimulatedLog, tables};
use oms_order::{
    OrderConfig, Running,
    api::{remembered_edit, remembered_run},
    changes::Changes,
    commands::Context,
    metrics::OrderMetrics,
    start_on,
    store::entities::orders,
};
use oms_proto::oms_v1::{GetOrderResponse, OrderStatus, order_service_client::OrderServiceClient};
use oms_seams::{Faults, Seams, SystemIds};
use oms_service::{
    Database, GrpcSettings, Host, Process, TlsSettings,
    idempotency::KeyTurns,
    testing::{Backend, TestDatabase, backends, count_rows},
};
use sea_orm::{EntityTrait, PaginatorTrait};
use tonic::transport::Channel;

use super::{Crash, Others, TestClock, create_for, get, pay};
use crate::support::{DEAD, TOPIC, record};

/// More than anything here takes; only a test that fails waits so long.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running order service with its client.
pub(crate) struct Served {
    pub(crate) client: OrderServiceClient<Channel>,
    pub(crate) others: Others,
    pub(crate) host: Host,
    pub(crate) running: Running,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) crash: Arc<Crash>,
    config: OrderConfig,
    log: SimulatedLog,
    test: Option<TestDatabase>,
}

/// Every backend that tests run on.
pub(crate) fn each_backend() -> Vec<Backend> {
    backends()
}

impl Served {
    /// On a fresh SQLite file.
    pub(crate) async fn start() -> Self {
        Self::start_with(&Backend::Sqlite, |_| {}).await
    }

    /// On a fresh database with changed settings.
    pub(crate) async fn start_with(
        backend: &Backend,
        change: impl FnOnce(&mut OrderConfig),
    ) -> Self {
        let test = TestDatabase::empty(backend).await;
        let mut config = OrderConfig::default();
        config.order.database = test.settings().clone();
        config.order.grpc = GrpcSettings::at("localhost:0");
        "localhost:0".clone_into(&mut config.order.orders.listen);
        config.order.orders.tls = TlsSettings::off();
        config.order.messaging.poll_wait_ms = 5;
        change(&mut config);
        let log = SimulatedLog::new(&[(TOPIC, 3), (DEAD, 1)]);
        let (clock, crash) = (Arc::new(TestClock::default()), Arc::new(Crash::default()));
        Self::launch(config, log, clock, crash, Some(test), None).await
    }

    /// Another instance on the same data and log.
    pub(crate) async fn beside(&self) -> Self {
        let (config, log) = (self.config.clone(), self.log.clone());
        let others = Some(self.others.clone());
        Self::launch(config, log, self.clock.clone(), self.crash.clone(), None, others).await
    }

    async fn launch(
        config: OrderConfig,
        log: SimulatedLog,
        clock: Arc<TestClock>,
        crash: Arc<Crash>,
        test: Option<TestDatabase>,
        others: Option<Others>,
    ) -> Self {
        let faults = Faults::planned(crash.clone());
        let seams = Seams { clock: clock.clone(), ids: Arc::new(SystemIds), faults };
        let host = Host::new("order", seams, Process::new());
        let running = start_on(config.clone(), host.clone(), Arc::new(log.clone())).await.unwrap();
        let others = others.unwrap_or_else(|| {
            let others = Others::on(log.clone());
            host.tasks().spawn("others", others.clone().run());
            others
        });
        host.ready(PATIENCE).await.unwrap();
        let client = client_of(&running, None).await;
        Self { client, others, host, running, clock, crash, config, log, test }
    }

    /// Dies as by `kill -9` and starts again on the same data and log.
    pub(crate) async fn restart(mut self) -> Self {
        self.host.kill();
        self.host.gone().await;
        let test = self.test.take();
        let (config, log) = (self.config.clone(), self.log.clone());
        Self::launch(config, log, self.clock.clone(), self.crash.clone(), test, None).await
    }

    /// A client on a connection of its own that takes so many bytes of an answer before it is read.
    pub(crate) async fn slow_client(&self, bytes: u32) -> OrderServiceClient<Channel> {
        client_of(&self.running, Some(bytes)).await
    }

    pub(crate) fn metrics(&self) -> impl Future<Output = String> {
        let metrics = self.host.metrics().clone();
        async move { metrics.scrape().await }
    }

    /// Whether the metrics page has this line.
    pub(crate) async fn counts(&self, line: &str) -> bool {
        self.metrics().await.lines().any(|printed| printed == line)
    }

    /// The number the metrics page shows.
    pub(crate) async fn counted(&self, name: &str) -> u64 {
        let page = self.metrics().await;
        let mut lines = page.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        lines.next().unwrap().parse().unwrap()
    }

    /// Waits until the metrics page has this line.
    pub(crate) async fn until_counted(&self, line: &str) {
        let looking = async {
            while !self.counts(line).await {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let counted = tokio::time::timeout(PATIENCE, looking).await.is_ok();
        assert!(counted, "{line}\n{}", self.metrics().await);
    }

    /// Another service says this.
    pub(crate) async fn hear(&self, event: &Event) {
        for report in self.log.publish(vec![record(event, false)]).await {
            report.unwrap();
        }
    }

    /// A new order at that price.
    pub(crate) async fn created(&self, cents: i64) -> String {
        let mut client = self.client.clone();
        let customer = format!("customer-{}", self.orders().await);
        client.create_order(create_for(&customer, cents)).await.unwrap().into_inner().order_id
    }

    /// A new order at that price, paid and confirmed.
    pub(crate) async fn confirmed(&self, cents: i64) -> String {
        let order = self.created(cents).await;
        self.client.clone().pay_order(pay(&order)).await.unwrap();
        self.reaches(&order, OrderStatus::Confirmed).await;
        order
    }

    pub(crate) async fn view(&self, order: &str) -> GetOrderResponse {
        self.client.clone().get_order(get(order)).await.unwrap().into_inner()
    }

    /// Waits until the order shows the status.
    pub(crate) async fn reaches(&self, order: &str, status: OrderStatus) -> GetOrderResponse {
        self.until(order, |view| view.order.as_ref().unwrap().status() == status).await
    }

    /// Waits until the order looks so.
    pub(crate) async fn until(
        &self,
        order: &str,
        looks_so: impl Fn(&GetOrderResponse) -> bool,
    ) -> GetOrderResponse {
        let looking = async {
            loop {
                let view = self.view(order).await;
                if looks_so(&view) {
                    return view;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, looking).await.expect("the order never looked so")
    }

    /// What a command or a sweeper of this service works with.
    pub(crate) fn context(&self) -> Context {
        Context {
            messaging: self.running.messaging.clone(),
            read: self.running.database.read.clone(),
            changes: Changes::new(10),
            key_turns: KeyTurns::default(),
            remember_edit: remembered_edit,
            metrics: self.host.metrics().group(OrderMetrics::register),
            remembered_run,
            settings: Arc::new(self.config.order.clone()),
            draining: self.host.intake(),
        }
    }

    /// Types of the events on the log about an order that this service said.
    pub(crate) fn said(&self, order: &str) -> Vec<String> {
        let events = self.log.records(TOPIC).into_iter();
        let events = events.map(|delivery| Event::parse(&delivery.record.payload).unwrap());
        events
            .filter(|event| event.subject == order && event.source == "/oms/order")
            .map(|event| event.event_type)
            .collect()
    }

    /// The same, once there are so many.
    pub(crate) async fn says(&self, order: &str, count: usize) -> Vec<String> {
        let looking = async {
            while self.said(order).len() < count {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, looking).await.expect("it was never said");
        self.said(order)
    }

    /// Waits until this service waits for nothing more about the order.
    pub(crate) async fn until_rest(&self, order: &str) {
        let looking = async {
            loop {
                let read = &self.running.database.read;
                let stream = tables::streams::Entity::find_by_id(order).one(read).await.unwrap();
                if stream.unwrap().ask_at.is_none() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, looking).await.expect("it still waits for a word");
    }

    pub(crate) async fn orders(&self) -> u64 {
        orders::Entity::find().count(&self.running.database.read).await.unwrap()
    }

    /// The database as another process sees it.
    pub(crate) async fn reopened(&self) -> Database {
        self.test.as_ref().unwrap().reopen().await
    }

    /// How many rows every table has: what a refused call must not change.
    pub(crate) async fn rows(&self) -> BTreeMap<String, i64> {
        count_rows(&self.running.database.read).await
    }
}

async fn client_of(running: &Running, window: Option<u32>) -> OrderServiceClient<Channel> {
    let address = format!("http://{}", running.grpc);
    let endpoint = Channel::from_shared(address).unwrap();
    let endpoint = endpoint.initial_stream_window_size(window);
    OrderServiceClient::new(endpoint.connect().await.unwrap())
}

impl Drop for Served {
    fn drop(&mut self) {
        self.host.kill();
    }
}
