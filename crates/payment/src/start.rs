//! The only place where the rooms are wired.

use std::{net::SocketAddr, sync::Arc};

use oms_messaging::{
    Crew, KafkaLog, Log, Messaging, MessagingMetrics, crew::WATCHED, outlet::MessagingParts,
};
use oms_proto::FILE_DESCRIPTOR_SET;
use oms_seams::Seams;
use oms_service::{Database, GrpcApi, Host, Metrics, StartError};
use tokio::sync::Notify;

use crate::{
    api::PaymentApi,
    config::{PaymentConfig, PaymentSettings},
    gateway::{Gateway, GatewayMigrator, SimulatedGateway},
    metrics::PaymentMetrics,
    migration::Migrator,
    queries::Queries,
    reactions::Reactions,
    standing::PaymentTeller,
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

/// What works in the service, wired and at rest. The host runs it as tasks; a simulator takes it
/// step by step.
#[derive(Debug)]
pub struct Parts {
    /// The service's messaging.
    pub messaging: Messaging,
    /// What joins the service to the log.
    pub crew: Crew<Reactions>,
    /// Carries money through the gateway.
    pub worker: Worker,
}

/// Wires the service over its migrated database, `log` and `gateway`.
#[must_use]
pub fn parts(
    settings: &PaymentSettings,
    database: &Database,
    seams: Seams,
    log: Arc<dyn Log>,
    gateway: Arc<dyn Gateway>,
    metrics: &Metrics,
) -> Parts {
    let messaging = Messaging::new(MessagingParts {
        source: format!("/oms/{NAME}"),
        topic: settings.topic.clone(),
        dead_letter_topic: settings.dead_letter_topic.clone(),
        database: database.write.clone(),
        seams,
        settings: settings.messaging.clone(),
    });
    let own = metrics.group(PaymentMetrics::register);
    let fell_due = Arc::new(Notify::new());
    let reactor = Arc::new(Reactions::new(own.clone(), fell_due.clone()));
    let group = settings.consumer_group.clone();
    let metrics = metrics.group(MessagingMetrics::register).for_service(NAME);
    let worker = Worker::new(
        messaging.clone(),
        database.read.clone(),
        gateway,
        own,
        settings.worker.clone(),
        fell_due,
    );
    Parts { crew: Crew::new(messaging.clone(), reactor, log, group, metrics), messaging, worker }
}

/// Starts the service on `host`, joined to the others by Kafka.
///
/// # Errors
/// In one line, what the operator has to change.
pub async fn start(config: PaymentConfig, host: Host) -> Result<Running, StartError> {
    // The port first: a second copy of the service must touch nothing.
    host.bind(GRPC, &config.payment.grpc.listen).await?;
    let log =
        KafkaLog::new(&config.kafka).map_err(|error| StartError::setting("kafka", error.0))?;
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
    let clock = host.seams().clock.clone();
    let slow = settings.gateway.slow();
    let gateway = SimulatedGateway::new(gateway.write, gateway.read, clock, slow);
    let (seams, port) = (host.seams().clone(), Arc::new(gateway.clone()));
    let parts = parts(&settings, &database, seams, log, port, host.metrics());
    let api = PaymentApi::new(Queries::new(database.read.clone()));
    let api = GrpcApi::new(FILE_DESCRIPTOR_SET).service(api.into_server());
    let grpc = host.serve_grpc(GRPC, &settings.grpc, api).await?;
    let messaging = parts.messaging.clone();
    spawn_workers(&host, &database, parts);
    Ok(Running { grpc, database, messaging, gateway })
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

fn spawn_workers(host: &Host, database: &Database, parts: Parts) {
    let Parts { crew, worker, .. } = parts;
    host.metrics().before_scrape("messaging", crew.gauges(database.read.clone()));
    oms_admin::serve(host, crew.dead_letters());
    let teller = PaymentTeller::new(Queries::new(database.read.clone()));
    oms_admin::explain(host, crew.dead_letters(), database.read.clone(), teller);
    let (tasks, health, stop) = (host.tasks(), host.health(), || host.workers());
    // The gateway is not watched: while it is away money waits, and everything else goes on.
    tasks.spawn("database", database.clone().keep_watch(health.component("database"), stop()));
    tasks.spawn("watch", crew.watch(health.reporter(WATCHED), stop()));
    tasks.spawn("worker", worker.run(stop()));
    for (name, part) in crew.into_parts(stop()) {
        tasks.spawn(name, part);
    }
}
