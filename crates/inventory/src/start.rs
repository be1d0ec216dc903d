//! The only place where the rooms are wired.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use oms_messaging::{
    Crew, KafkaLog, Log, Messaging, MessagingMetrics, crew::WATCHED, outlet::MessagingParts,
};
use oms_proto::{FILE_DESCRIPTOR_SET, oms_v1::inventory_service_server::InventoryServiceServer};
use oms_seams::Seams;
use oms_service::{
    Database, GrpcApi, Host, MESSAGE_IN_MAX, MESSAGE_OUT_MAX, Metrics, StartError, idempotency,
};

use crate::{
    api::InventoryApi,
    catalogue,
    config::{InventoryConfig, InventorySettings},
    expiry::Expiry,
    metrics::InventoryMetrics,
    migration::Migrator,
    reactions::InventoryReactor,
    standing::InventoryTeller,
};

/// The service's name.
pub const NAME: &str = "inventory";
const GRPC: &str = "inventory.grpc.listen";
const DATABASE: &str = "inventory.database.url";
const CATALOGUE: &str = "inventory.catalogue_path";

/// A running service. It lives as long as its host; dropping this stops nothing.
#[derive(Clone, Debug)]
pub struct Running {
    /// Where gRPC is served.
    pub grpc: SocketAddr,
    /// The service's own database.
    pub database: Database,
    /// The service's messaging.
    pub messaging: Messaging,
}

/// What works in the service, wired and at rest. The host runs it as tasks; a simulator takes it
/// step by step.
#[derive(Debug)]
pub struct Parts {
    /// The service's messaging.
    pub messaging: Messaging,
    /// What joins the service to the log.
    pub crew: Crew<InventoryReactor>,
    /// Announces expired holds; not before the consumer has reached the end of the log once.
    pub expiry: Expiry,
}

/// Wires the service over its migrated database and `log`.
#[must_use]
pub fn parts(
    settings: &InventorySettings,
    database: &Database,
    seams: Seams,
    log: Arc<dyn Log>,
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
    let expiry = Expiry::new(
        messaging.clone(),
        settings.policy(),
        Duration::from_millis(settings.expiry_sweep_ms),
        settings.expiry_batch_max,
        metrics.group(InventoryMetrics::register),
    );
    let reactor = Arc::new(InventoryReactor::new(settings.policy()));
    let group = settings.consumer_group.clone();
    let metrics = metrics.group(MessagingMetrics::register).for_service(NAME);
    Parts { crew: Crew::new(messaging.clone(), reactor, log, group, metrics), messaging, expiry }
}

/// Starts the service on `host`, joined to the others by Kafka.
///
/// # Errors
/// In one line, what the operator has to change.
pub async fn start(config: InventoryConfig, host: Host) -> Result<Running, StartError> {
    // The port first: a second copy of the service must touch nothing.
    host.bind(GRPC, &config.inventory.grpc.listen).await?;
    let log =
        KafkaLog::new(&config.kafka).map_err(|error| StartError::setting("kafka", error.0))?;
    start_on(config, host, Arc::new(log)).await
}

/// Starts the service on `host`, joined to the others by `log`.
///
/// # Errors
/// In one line, what the operator has to change.
pub async fn start_on(
    config: InventoryConfig,
    host: Host,
    log: Arc<dyn Log>,
) -> Result<Running, StartError> {
    let settings = config.inventory;
    host.bind(GRPC, &settings.grpc.listen).await?;
    let failed = |error| StartError::other(CATALOGUE, error);
    let items = catalogue::read(settings.catalogue_file()).map_err(failed)?;
    let database = open(&settings).await?;
    let parts = parts(&settings, &database, host.seams().clone(), log, host.metrics());
    let messaging = parts.messaging.clone();
    let loaded = catalogue::load(&messaging, &items).await.map_err(failed)?;
    if loaded > 0 {
        tracing::info!(skus = loaded, "start-up catalogue loaded");
    }
    let api = InventoryApi::new(messaging.clone(), database.clone(), host.tasks().clone());
    let service = InventoryServiceServer::new(api)
        .max_decoding_message_size(MESSAGE_IN_MAX)
        .max_encoding_message_size(MESSAGE_OUT_MAX);
    let api = GrpcApi::new(FILE_DESCRIPTOR_SET).service(service);
    let grpc = host.serve_grpc(GRPC, &settings.grpc, api).await?;
    spawn_workers(&settings, &host, &database, parts);
    Ok(Running { grpc, database, messaging })
}

/// Opens the database and brings it up to date.
///
/// # Errors
/// When it cannot be opened or a migration fails.
pub(crate) async fn open(settings: &InventorySettings) -> Result<Database, StartError> {
    let failed = |error| StartError::database(DATABASE, error);
    let database = Database::open(&settings.database).await.map_err(failed)?;
    database.migrate::<Migrator>().await.map_err(failed)?;
    Ok(database)
}

fn spawn_workers(settings: &InventorySettings, host: &Host, database: &Database, parts: Parts) {
    let Parts { crew, expiry, .. } = parts;
    host.metrics().before_scrape("messaging", crew.gauges(database.read.clone()));
    oms_admin::serve(host, crew.dead_letters());
    let teller = InventoryTeller::new(database.read.clone());
    oms_admin::explain(host, crew.dead_letters(), database.read.clone(), teller);
    let (tasks, health, stop) = (host.tasks(), host.health(), || host.workers());
    tasks.spawn("database", database.clone().keep_watch(health.component("database"), stop()));
    tasks.spawn("watch", crew.watch(health.reporter(WATCHED), stop()));
    tasks.spawn("expiry", expiry.run_after(crew.consumer_status(), stop()));
    for (name, part) in crew.into_parts(stop()) {
        tasks.spawn(name, part);
    }
    let forget = idempotency::run_sweeper(
        database.write.clone(),
        host.seams().clock.clone(),
        settings.idempotency.clone(),
        stop(),
    );
    tasks.spawn("idempotency", forget);
}
