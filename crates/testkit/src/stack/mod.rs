//! The system under test.

mod clients;
mod lossy;
mod options;
mod slot;

pub use clients::Clients;
pub use options::{StackOptions, Wire};
pub use slot::Name;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use oms_events::{DEAD_LETTER_TOPIC, TOPIC};
use oms_messaging::{
    Event, Log,
    kafka::{EmbeddedBroker, KafkaLog, KafkaSettings},
    simulated::SimulatedLog,
};

use self::{lossy::LossyLog, slot::Slot};
use oms_proto::{
    oms_admin_v1::{
        dead_letter_service_client::DeadLetterServiceClient,
        explain_service_client::ExplainServiceClient,
    },
    orders::orders_client::OrdersClient,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tonic::transport::Channel;

use crate::{
    CrashPlan, eventually,
    invariants::{self, Evidence},
};

/// Partitions of the topic in a test.
const PARTITIONS: i32 = 4;

/// How long a system may take to come to rest.
const REST_WITHIN: Duration = Duration::from_secs(60);

/// Three services, their databases and the log between them.
#[derive(Debug)]
pub struct Stack {
    folder: tempfile::TempDir,
    options: StackOptions,
    wire: Connected,
    slots: [Slot; 3],
    /// The log was lost with everything else.
    power_was_cut: bool,
    /// Orders that a test put poison in for.
    poisoned: Vec<String>,
    finished: bool,
}

#[derive(Debug)]
enum Connected {
    Simulated(LossyLog),
    /// The broker lives as long as this; nothing else is asked of it.
    Embedded {
        _broker: EmbeddedBroker,
        settings: KafkaSettings,
    },
}

impl Connected {
    fn start(options: &StackOptions) -> anyhow::Result<Self> {
        let topics = [(TOPIC, PARTITIONS), (DEAD_LETTER_TOPIC, 1)];
        match options.wire {
            Wire::Simulated => {
                let log = SimulatedLog::new(&topics);
                Ok(Self::Simulated(LossyLog::new(log, options.lose_log_at)))
            }
            Wire::Embedded => {
                let broker = EmbeddedBroker::start(&topics)?;
                let settings = KafkaSettings::embedded(broker.bootstrap());
                Ok(Self::Embedded { _broker: broker, settings })
            }
        }
    }

    fn log(&self) -> anyhow::Result<Arc<dyn Log>> {
        match self {
            Self::Simulated(log) => Ok(Arc::new(log.clone())),
            Self::Embedded { settings, .. } => Ok(Arc::new(KafkaLog::new(settings)?)),
        }
    }
}

impl Stack {
    /// A system over the simulated log, with intervals made for tests.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start() -> anyhow::Result<Self> {
        Self::with(StackOptions::default()).await
    }

    /// A system with options.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn with(options: StackOptions) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let wire = Connected::start(&options)?;
        let slots = [Name::Order, Name::Inventory, Name::Payment].map(Slot::new);
        let mut stack = Self {
            folder,
            options,
            wire,
            slots,
            power_was_cut: false,
            poisoned: Vec::new(),
            finished: false,
        };
        stack.start_all().await?;
        Ok(stack)
    }

    /// Clients of the services as they listen now.
    ///
    /// # Errors
    /// When a service is down.
    pub async fn clients(&self) -> anyhow::Result<Clients> {
        let at = |name| self.address(name);
        Clients::connect(at(Name::Order)?, at(Name::Inventory)?, at(Name::Payment)?).await
    }

    /// Where a service listens now.
    ///
    /// # Errors
    /// When it is down.
    pub fn address(&self, name: Name) -> anyhow::Result<SocketAddr> {
        self.slot(name).address().context("the service is down")
    }

    /// A client of `orders.Orders` on its own port.
    ///
    /// # Errors
    /// When the order service is down.
    pub async fn orders(&self) -> anyhow::Result<OrdersClient<Channel>> {
        let at = self.slot(Name::Order).orders().context("the service is down")?;
        Ok(OrdersClient::new(clients::channel(at).await?))
    }

    /// What order's commands need, for calls as from within its process.
    ///
    /// # Errors
    /// When the service is down.
    pub fn commands(&self) -> anyhow::Result<oms_order::commands::Context> {
        self.slot(Name::Order).commands().context("the service is down")
    }

    /// The dead letters of a service, on its admin port.
    ///
    /// # Errors
    /// When the service is down.
    pub async fn dead_letters(
        &self,
        name: Name,
    ) -> anyhow::Result<DeadLetterServiceClient<Channel>> {
        let at = self.slot(name).admin().context("the service is down")?;
        Ok(DeadLetterServiceClient::new(clients::channel(at).await?))
    }

    /// What a service knows about orders, on its admin port.
    ///
    /// # Errors
    /// When the service is down.
    pub async fn explains(&self, name: Name) -> anyhow::Result<ExplainServiceClient<Channel>> {
        let at = self.slot(name).admin().context("the service is down")?;
        Ok(ExplainServiceClient::new(clients::channel(at).await?))
    }

    /// The metrics of a service, as its admin port prints them.
    ///
    /// # Errors
    /// When the service is down, or answers with anything but a page.
    pub async fn metrics(&self, name: Name) -> anyhow::Result<String> {
        let at = self.slot(name).admin().context("the service is down")?;
        let mut stream = TcpStream::connect(at).await?;
        let get = format!("GET /metrics HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n");
        stream.write_all(get.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let page = answer.strip_prefix("HTTP/1.1 200").and_then(|rest| rest.split_once("\r\n\r\n"));
        Ok(page.context("no page")?.1.to_owned())
    }

    /// Dead letters of this order break nothing: the test is about them.
    pub fn poisons(&mut self, order: &str) {
        self.poisoned.push(order.to_owned());
    }

    /// The simulated log.
    ///
    /// # Panics
    /// When the stack runs over the embedded broker.
    #[must_use]
    pub fn simulated(&self) -> &SimulatedLog {
        match &self.wire {
            Connected::Simulated(log) => log.inner(),
            Connected::Embedded { .. } => panic!("the stack runs over the embedded broker"),
        }
    }

    /// Whether the planned loss of the log has come.
    #[must_use]
    pub fn log_was_lost(&self) -> bool {
        matches!(&self.wire, Connected::Simulated(log) if log.was_lost())
    }

    /// The crashes planned for a service.
    #[must_use]
    pub fn crashes(&self, name: Name) -> Arc<CrashPlan> {
        self.slot(name).crashes.clone()
    }

    /// Kills a service as `kill -9` would and waits until nothing of it is left.
    pub async fn kill(&mut self, name: Name) {
        self.slot_mut(name).kill().await;
    }

    /// Starts a killed service on its own data.
    ///
    /// # Errors
    /// When it does not start or does not become ready.
    pub async fn restart(&mut self, name: Name) -> anyhow::Result<()> {
        let log = self.wire.log()?;
        let (folder, options) = (self.folder.path().to_owned(), self.options.clone());
        let slot = self.slot_mut(name);
        slot.start(&folder, &options, log).await?;
        slot.ready().await
    }

    /// Kills every service.
    pub async fn kill_all(&mut self) {
        for slot in &mut self.slots {
            slot.kill().await;
        }
    }

    /// Starts every killed service.
    ///
    /// # Errors
    /// When one does not start or does not become ready.
    pub async fn start_all(&mut self) -> anyhow::Result<()> {
        for at in 0..self.slots.len() {
            let log = self.wire.log()?;
            self.slots[at].start(self.folder.path(), &self.options, log).await?;
        }
        for slot in &self.slots {
            slot.ready().await?;
        }
        Ok(())
    }

    /// Kills everything and starts it again with an empty log, as a restart of the embedded
    /// arrangement does.
    ///
    /// # Errors
    /// When it does not start again.
    pub async fn power_cut(&mut self) -> anyhow::Result<()> {
        self.kill_all().await;
        self.power_was_cut = true;
        match &self.wire {
            Connected::Simulated(log) => log.inner().lose_all(),
            Connected::Embedded { .. } => self.wire = Connected::start(&self.options)?,
        }
        self.start_all().await
    }

    /// Kills and restarts each service whose planned crash has come.
    ///
    /// # Errors
    /// When it does not start again.
    pub async fn revive(&mut self, name: Name) -> anyhow::Result<()> {
        self.kill(name).await;
        self.restart(name).await
    }

    /// Waits until the system is at rest: nobody waits, nothing is due.
    ///
    /// # Errors
    /// When it does not come to rest: what is still open.
    pub async fn rest(&self) -> anyhow::Result<()> {
        let databases = self.databases()?;
        eventually(REST_WITHIN, || async {
            let open = invariants::open_business(&databases).await?;
            Ok(if open.is_empty() { Ok(()) } else { Err(open.join("; ")) })
        })
        .await
        .context("the system does not come to rest")
    }

    /// Waits for rest, checks every invariant and stops the system.
    ///
    /// # Errors
    /// Every invariant that is broken.
    pub async fn finish(mut self) -> anyhow::Result<()> {
        self.rest().await?;
        let topic = self.whole_topic()?;
        let said = topic.as_ref();
        let evidence = Evidence { said, heard: said, poisoned: &self.poisoned };
        let broken = invariants::broken(&self.databases()?, evidence).await;
        let checked = broken.and_then(|broken| {
            anyhow::ensure!(broken.is_empty(), "broken invariants:\n{}", broken.join("\n"));
            Ok(())
        });
        self.finished = true;
        self.kill_all().await;
        checked
    }

    /// Everything that was ever on the topic; unknown once the log was lost, or if a test cannot
    /// look into it.
    fn whole_topic(&self) -> anyhow::Result<Option<invariants::Topic>> {
        let Connected::Simulated(log) = &self.wire else { return Ok(None) };
        if self.power_was_cut || log.was_lost() {
            return Ok(None);
        }
        let records = log.inner().records(TOPIC);
        let events = records.iter().map(|delivery| Event::parse(&delivery.record.payload));
        let events = events.collect::<Result<Vec<_>, _>>()?;
        Ok(Some(events.into_iter().map(|e| (e.id.to_string(), e.event_type)).collect()))
    }

    /// The databases, for looks no API gives.
    ///
    /// # Errors
    /// When a service is down.
    pub fn databases(&self) -> anyhow::Result<invariants::Databases> {
        let of = |name| self.slot(name).database().context("the service is down");
        Ok(invariants::Databases {
            order: of(Name::Order)?,
            inventory: of(Name::Inventory)?,
            payment: of(Name::Payment)?,
            gateway: self.slot(Name::Payment).gateway().context("payment is down")?,
        })
    }

    fn slot(&self, name: Name) -> &Slot {
        &self.slots[name as usize]
    }

    fn slot_mut(&mut self, name: Name) -> &mut Slot {
        &mut self.slots[name as usize]
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        for slot in &self.slots {
            slot.abandon();
        }
        assert!(
            self.finished || std::thread::panicking(),
            "a test must end with Stack::finish: outboxes, dead letters and invariants are \
             checked there"
        );
    }
}
