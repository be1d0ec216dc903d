//! Services that park what they hear, on one admin port.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use oms_messaging::{
    Crew, Event, Failure, Log, Messaging, MessagingMetrics, MessagingSettings, Outcome, Reactor,
    Record, SimulatedLog, Tx, migration, outlet::MessagingParts,
};
use oms_proto::oms_admin_v1::{
    DeadLetter, DeadLetterFilter, ListDeadLettersRequest,
    dead_letter_service_client::DeadLetterServiceClient,
};
use oms_seams::Seams;
use oms_service::{
    Admin, Host, Process,
    testing::{Backend, TestDatabase},
};
use sea_orm_migration::{MigrationTrait, MigratorTrait};
use tonic::transport::Channel;

/// Longer than anything here takes; a test that waits this long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

const TOPIC: &str = "events";
const DEAD: &str = "events.dlq";

pub(crate) type Client = DeadLetterServiceClient<Channel>;

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        migration::migrations()
    }
}

/// Hears nothing, so that only what is no event is parked.
struct Deaf;

#[async_trait]
impl Reactor for Deaf {
    type Session = ();

    fn hears(&self, _: &str) -> bool {
        false
    }

    async fn load(&self, _: &mut Tx, _: &[&Event]) -> Result<(), Failure> {
        Ok(())
    }

    fn react(&self, (): &mut (), _: &Event) -> Result<Outcome, Failure> {
        Ok(Outcome::Already)
    }

    async fn save(&self, _: &mut Tx, (): ()) -> Result<(), Failure> {
        Ok(())
    }
}

/// A process with an admin port.
pub(crate) struct Served {
    pub(crate) process: Process,
    pub(crate) admin: Admin,
}

/// A service with a desk: what is no event is parked under its order.
pub(crate) struct Service {
    pub(crate) host: Host,
    pub(crate) database: TestDatabase,
}

impl Served {
    pub(crate) async fn start() -> Self {
        let process = Process::new();
        let admin = Admin::serve(&process, "test.admin.listen", "localhost:0").await.unwrap();
        Self { process, admin }
    }

    /// One that is ready, with letters of these orders.
    pub(crate) async fn ready(&self, name: &'static str, orders: &[&str]) -> Service {
        let service = self.open(self.host(name), orders).await;
        service.host.ready(PATIENCE).await.unwrap();
        service
    }

    pub(crate) fn host(&self, name: &'static str) -> Host {
        Host::new(name, Seams::system(), self.process.clone())
    }

    /// Opens the desk of a service, which is then not ready yet.
    pub(crate) async fn open(&self, host: Host, orders: &[&str]) -> Service {
        let database = TestDatabase::migrated::<Migrator>(&Backend::Sqlite).await;
        let log = Arc::new(SimulatedLog::new(&[(TOPIC, 1), (DEAD, 1)]));
        let garbage = orders.iter().map(|order| Record {
            topic: TOPIC.to_owned(),
            key: Some(order.as_bytes().to_vec()),
            payload: b"no event".to_vec(),
            headers: Vec::new(),
        });
        log.publish(garbage.collect()).await;
        let messaging = Messaging::new(MessagingParts {
            source: format!("/{}", host.name()),
            topic: TOPIC.to_owned(),
            dead_letter_topic: DEAD.to_owned(),
            database: database.database.write.clone(),
            seams: Seams::system(),
            settings: MessagingSettings { poll_wait_ms: 1, ..MessagingSettings::default() },
        });
        let metrics = host.metrics().group(MessagingMetrics::register).for_service(host.name());
        let group = host.name().to_owned();
        let crew = Crew::new(messaging, Arc::new(Deaf), log, group, metrics);
        oms_admin::serve(&host, crew.dead_letters());
        let mut consumer = crew.into_hands().consumer;
        let (mut parked, mut steps) = (0, 0);
        while parked < orders.len() {
            parked += usize::try_from(consumer.step().await.unwrap().parked).unwrap();
            steps += 1;
            assert!(steps < 100, "{parked} of {} are parked", orders.len());
        }
        Service { host, database }
    }

    pub(crate) async fn client(&self) -> Client {
        DeadLetterServiceClient::new(channel(self.admin.address()).await)
    }
}

pub(crate) async fn channel(address: SocketAddr) -> Channel {
    Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap()
}

pub(crate) fn of(service: &str) -> Option<DeadLetterFilter> {
    Some(DeadLetterFilter { service: service.to_owned(), ..DeadLetterFilter::default() })
}

pub(crate) fn listing(service: &str) -> ListDeadLettersRequest {
    ListDeadLettersRequest { filter: of(service), ..Default::default() }
}

/// Service and order of each letter.
pub(crate) fn whose(letters: &[DeadLetter]) -> Vec<(String, String)> {
    letters.iter().map(|letter| (letter.service.clone(), letter.order_id.clone())).collect()
}

/// The same, as a test writes it.
pub(crate) fn pairs<const N: usize>(wanted: [(&str, &str); N]) -> Vec<(String, String)> {
    wanted.map(|(service, order)| (service.to_owned(), order.to_owned())).to_vec()
}
