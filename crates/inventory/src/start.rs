//! The only place where the rooms are wired.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use oms_messaging::{
    Crew, KafkaLog, Log, Messaging, MessagingMetrics, crew::WATCHED, outlet::MessagingParts,
};
use oms_proto::{FILE_DESCRIPTOR_SET, oms_v1::inventory_service_server::InventoryServiceServer};
use oms_service::{
    Database, GrpcApi, Host, MESSAGE_IN_MAX, MESSAGE_OUT_MAX, StartError, idempotency,
};

use crate::{
    api::InventoryApi,
    catalogue,
    config::{InventoryConfig, InventorySettings},
    expiry::Expiry,
    metrics::InventoryMetrics,
    migration::Migrator,
    reactions::InventoryReactor,
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

/// Starts the service on `host`, joined to the others by Kafka.
///
/// # Errors
/// In one line, what the operator has to change.
pub async fn start(config: InventoryConfig, host: Host) -> Result<Running, StartError> {
    // The port first: a second copy of the service must touch nothing.
    host.bind(GRPC, &config.inventory.grpc.listen).await?;
    let log = KafkaLog::new(&config.kafka).map_err(|error| StartError::other("kafka", error))?;
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
    let messaging = Messaging::new(MessagingParts {
        source: format!("/oms/{NAME}"),
        topic: settings.topic.clone(),
        dead_letter_topic: settings.dead_letter_topic.clone(),
        database: database.write.clone(),
        seams: host.seams().clone(),
        settings: settings.messaging.clone(),
    });
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
    spawn_workers(&settings, &host, log, &database, &messaging);
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

fn spawn_workers(
    settings: &InventorySettings,
    host: &Host,
    log: Arc<dyn Log>,
    database: &Database,
    messaging: &Messaging,
) {
    let metrics = host.metrics().group(MessagingMetrics::register).for_service(NAME);
    let reactor = Arc::new(InventoryReactor::new(settings.policy()));
    let group = settings.consumer_group.clone();
    let crew = Crew::new(messaging.clone(), reactor, log, group, metrics);
    host.metrics().before_scrape("messaging", crew.gauges(database.read.clone()));
    let expiry = Expiry::new(
        messaging.clone(),
        settings.policy(),
        Duration::from_millis(settings.expiry_sweep_ms),
        settings.expiry_batch_max,
        host.metrics().group(InventoryMetrics::register),
    );

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
