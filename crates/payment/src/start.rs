//! The only place where the rooms are wired.

use std::{net::SocketAddr, sync::Arc};

use oms_messaging::{
    Asker, Consumer, KafkaLog, Log, Messaging, MessagingMetrics, Relay, Retention,
    outlet::MessagingParts,
};
use oms_proto::FILE_DESCRIPTOR_SET;
use oms_service::{Database, GrpcApi, Host, StartError};
use tokio::sync::Notify;

use crate::{
    api::PaymentApi,
    config::{PaymentConfig, PaymentSettings},
    gateway::{GatewayMigrator, SimulatedGateway},
    metrics::PaymentMetrics,
    migration::Migrator,
    probes::Probes,
    queries::Queries,
    reactions::Reactions,
    worker::Worker,
};

/// The service's name.
pub const NAME: &str = "payment";
const GRPC: &str = "payment.grpc.listen";
const DATABASE: &str = "payment.database.url";
const GATEWAY: &str = "payment.gateway.url";

/// A running service. It lives as long as its host; dropping this stops nothing.
#[derive(Clone, Debug)]
pub struct Running {
    /// Where gRPC is served.
    pub grpc: SocketAddr,
    /// The service's own database.
    pub database: Database,
    /// The service's messaging.
    pub messaging: Messaging,
    /// The gateway, whose log tells what was charged.
    pub gateway: SimulatedGateway,
}

/// Starts the service on `host`, joined to the others by Kafka.
///
/// # Errors
/// In one line, what the operator has to change.
pub async fn start(config: PaymentConfig, host: Host) -> Result<Running, StartError> {
    // The port first: a second copy of the service must touch nothing.
    host.bind(GRPC, &config.payment.grpc.listen).await?;
    let log = KafkaLog::new(&config.kafka).map_err(|error| StartError::other("kafka", error))?;
    start_on(config, host, Arc::new(log)).await
}

/// Starts the service on `host`, joined to the others by `log`.
///
/// # Errors
/// In one line, what the operator has to change.
pub async fn start_on(
    config: PaymentConfig,
    host: Host,
    log: Arc<dyn Log>,
) -> Result<Running, StartError> {
    let settings = config.payment;
    host.bind(GRPC, &settings.grpc.listen).await?;
    let (database, gateway) = open(&settings).await?;
    let messaging = Messaging::new(MessagingParts {
        source: format!("/oms/{NAME}"),
        topic: settings.topic.clone(),
        dead_letter_topic: settings.dead_letter_topic.clone(),
        database: database.write.clone(),
        seams: host.seams().clone(),
        settings: settings.messaging.clone(),
    });
    let clock = host.seams().clock.clone();
    let slow = settings.gateway.slow();
    let gateway = SimulatedGateway::new(gateway.write, gateway.read, clock, slow);
    let api = PaymentApi::new(Queries::new(database.read.clone()));
    let api = GrpcApi::new(FILE_DESCRIPTOR_SET).service(api.into_server());
    let grpc = host.serve_grpc(GRPC, &settings.grpc, api).await?;
    let running = Running { grpc, database, messaging, gateway };
    spawn_workers(&settings, &host, log, &running);
    Ok(running)
}

/// Opens the service's database and the gateway's, and brings both up to date.
///
/// # Errors
/// When one cannot be opened or a migration fails.
pub(crate) async fn open(settings: &PaymentSettings) -> Result<(Database, Database), StartError> {
    let failed = |error| StartError::database(DATABASE, error);
    let database = Database::open(&settings.database).await.map_err(failed)?;
    database.migrate::<Migrator>().await.map_err(failed)?;
    let failed = |error| StartError::database(GATEWAY, error);
    let gateway = Database::open(&settings.gateway.database()).await.map_err(failed)?;
    gateway.migrate::<GatewayMigrator>().await.map_err(failed)?;
    Ok((database, gateway))
}

fn spawn_workers(settings: &PaymentSettings, host: &Host, log: Arc<dyn Log>, running: &Running) {
    let (messaging, database) = (&running.messaging, &running.database);
    let metrics = messaging_metrics(host, database);
    let own = host.metrics().group(PaymentMetrics::register);
    let fell_due = Arc::new(Notify::new());
    let reactor = Arc::new(Reactions::new(own.clone(), fell_due.clone()));
    let group = settings.consumer_group.clone();
    let consumer = Consumer::new(messaging.clone(), reactor, log.clone(), group, metrics.clone());
    let relay = Relay::new(messaging.clone(), log.clone(), metrics.clone());
    let asker = Asker::new(messaging.clone(), metrics);
    let worker = Worker::new(
        messaging.clone(),
        database.read.clone(),
        Arc::new(running.gateway.clone()),
        own,
        settings.worker.clone(),
        fell_due,
    );
    let (relayed, consumed) = (relay.status(), consumer.status());
    let probes = Probes { database: database.clone(), log, relay: relayed, consumer: consumed };

    let (tasks, stop) = (host.tasks(), || host.workers());
    tasks.spawn("probes", probes.run(host.health(), stop()));
    tasks.spawn("relay", relay.run(stop()));
    tasks.spawn("consumer", consumer.run(stop()));
    tasks.spawn("asker", asker.run(stop()));
    tasks.spawn("retention", Retention::new(messaging.clone()).run(stop()));
    tasks.spawn("worker", worker.run(stop()));
}

fn messaging_metrics(host: &Host, database: &Database) -> MessagingMetrics {
    let metrics = host.metrics().group(MessagingMetrics::register).for_service(NAME);
    let (gauges, read, clock) =
        (metrics.clone(), database.read.clone(), host.seams().clock.clone());
    host.metrics().before_scrape(move || {
        let (gauges, read, clock) = (gauges.clone(), read.clone(), clock.clone());
        async move {
            if let Err(error) = gauges.refresh(&read, clock.now()).await {
                tracing::debug!(%error, "messaging gauges keep their last values");
            }
        }
    });
    metrics
}
