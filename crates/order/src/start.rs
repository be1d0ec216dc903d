//! The only place where the rooms are wired.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use chrono::TimeDelta;
use oms_messaging::{
    Crew, Failure, KafkaLog, Log, Messaging, MessagingMetrics, crew::WATCHED,
    outlet::MessagingParts,
};
use oms_proto::FILE_DESCRIPTOR_SET;
use oms_seams::Seams;
use oms_service::{
    Database, GrpcApi, Host, Metrics, StartError, Tls,
    idempotency::{self, KeyTurns},
};
use tokio_util::sync::CancellationToken;

use crate::{
    aftermath::Wake,
    api::{Calls, OrderApi, OrdersApi, remembered_edit, remembered_run},
    changes::Changes,
    commands::Context,
    config::{OrderConfig, OrderSettings},
    deadlines::Deadlines,
    forgetting::Forgetting,
    metrics::OrderMetrics,
    migration::Migrator,
    queries::Queries,
    reactions::OrderReactor,
    standing::OrderTeller,
};

/// The service's name.
pub const NAME: &str = "order";
const GRPC: &str = "order.grpc.listen";
const ORDERS: &str = "order.orders.listen";
const TLS: &str = "order.orders.tls";
const DATABASE: &str = "order.database.url";

/// A running service. It lives as long as its host; dropping this stops nothing.
#[derive(Clone, Debug)]
pub struct Running {
    /// Where gRPC is served.
    pub grpc: SocketAddr,
    /// Where `orders.Orders` alone is served, in plaintext and with TLS.
    pub orders: SocketAddr,
    /// That port's TLS; `None` where it speaks plaintext alone.
    pub tls: Option<Tls>,
    /// The service's own database.
    pub database: Database,
    /// The service's messaging.
    pub messaging: Messaging,
    /// What commands need, for callers in this process.
    pub context: Context,
}

/// What works in the service, wired and at rest. The host runs it as tasks; a simulator takes it
/// step by step.
#[derive(Debug)]
pub struct Parts {
    /// What commands need, the service's messaging among it.
    pub context: Context,
    /// What joins the service to the log.
    pub crew: Crew<OrderReactor>,
    /// Ends late pay runs; not before the consumer has reached the end of the log once.
    pub deadlines: Deadlines,
    /// Forgets creations without a key.
    pub forgetting: Forgetting,
}

/// Wires the service over its migrated database and `log`. `draining` is cancelled when it takes no
/// more calls.
#[must_use]
pub fn parts(
    settings: &Arc<OrderSettings>,
    database: &Database,
    seams: Seams,
    log: Arc<dyn Log>,
    metrics: &Metrics,
    draining: CancellationToken,
) -> Parts {
    let messaging = Messaging::new(MessagingParts {
        source: format!("/oms/{NAME}"),
        topic: settings.topic.clone(),
        dead_letter_topic: settings.dead_letter_topic.clone(),
        database: database.write.clone(),
        seams,
        settings: settings.messaging.clone(),
    });
    let context = Context {
        messaging: messaging.clone(),
        read: database.read.clone(),
        changes: Changes::new(settings.waiting_orders_max),
        key_turns: KeyTurns::default(),
        remember_edit: remembered_edit,
        metrics: metrics.group(OrderMetrics::register),
        settings: settings.clone(),
        remembered_run,
        draining,
    };
    let aftermath = Arc::new(Wake::new(context.changes.clone(), context.metrics.clone()));
    let reactor = Arc::new(OrderReactor::new(aftermath));
    let group = settings.consumer_group.clone();
    let metrics = metrics.group(MessagingMetrics::register).for_service(NAME);
    Parts {
        crew: Crew::new(messaging, reactor, log, group, metrics),
        deadlines: Deadlines::new(context.clone()),
        forgetting: Forgetting::new(context.clone()),
        context,
    }
}

/// Starts the service on `host`, joined to the others by Kafka.
///
/// # Errors
/// In one line, what the operator has to change.
pub async fn start(config: OrderConfig, host: Host) -> Result<Running, StartError> {
    // The port first: a second copy of the service must touch nothing.
    host.bind(GRPC, &config.order.grpc.listen).await?;
    host.bind(ORDERS, &config.order.orders.listen).await?;
    let log =
        KafkaLog::new(&config.kafka).map_err(|error| StartError::setting("kafka", error.0))?;
    start_on(config, host, Arc::new(log)).await
}

/// Starts the service on `host`, joined to the others by `log`.
///
/// # Errors
/// In one line, what the operator has to change.
pub async fn start_on(
    config: OrderConfig,
    host: Host,
    log: Arc<dyn Log>,
) -> Result<Running, StartError> {
    let settings = Arc::new(config.order);
    host.bind(GRPC, &settings.grpc.listen).await?;
    host.bind(ORDERS, &settings.orders.listen).await?;
    let tls = Tls::open(TLS, &settings.orders.tls, host.seams().clock.now())?;
    let database = open(&settings).await?;
    let (seams, draining) = (host.seams().clone(), host.intake());
    let parts = parts(&settings, &database, seams, log, host.metrics(), draining);
    let context = parts.context.clone();
    let queries = Queries::new(database.read.clone());
    let calls = Calls::new(host.clone(), context.clone());
    let orders = OrdersApi::new(calls.clone(), queries.clone());
    let both = GrpcApi::new(FILE_DESCRIPTOR_SET)
        .service(OrderApi::new(calls, queries.clone()).into_server())
        .service(orders.clone().into_server());
    let grpc = host.serve_grpc(GRPC, &settings.grpc, both).await?;
    let alone = GrpcApi::new(FILE_DESCRIPTOR_SET).service(orders.into_server());
    let port = settings.orders.grpc();
    let orders = host.serve_grpc_or_tls(ORDERS, &port, tls.clone(), alone).await?;
    read_gauges_before_scrapes(&host, &context, &queries);
    spawn_sweepers(&host, &context, parts.forgetting);
    spawn_reactions(&host, &context, &database, parts.crew, parts.deadlines);
    Ok(Running { grpc, orders, tls, database, messaging: context.messaging.clone(), context })
}

/// Opens the service's database and brings it up to date.
///
/// # Errors
/// When it cannot be opened or a migration fails.
pub(crate) async fn open(settings: &OrderSettings) -> Result<Database, StartError> {
    let failed = |error| StartError::database(DATABASE, error);
    let database = Database::open(&settings.database).await.map_err(failed)?;
    database.migrate::<Migrator>().await.map_err(failed)?;
    Ok(database)
}

/// What joins the service to the log; the deadlines wait for it to be read once.
fn spawn_reactions(
    host: &Host,
    context: &Context,
    database: &Database,
    crew: Crew<OrderReactor>,
    deadlines: Deadlines,
) {
    host.metrics().before_scrape("messaging", crew.gauges(context.read.clone()));
    oms_admin::serve(host, crew.dead_letters());
    let teller = OrderTeller::new(context.read.clone());
    oms_admin::explain(host, crew.dead_letters(), context.read.clone(), teller);

    let (tasks, health, stop) = (host.tasks(), host.health(), || host.workers());
    tasks.spawn("database", database.clone().keep_watch(health.component("database"), stop()));
    tasks.spawn("watch", crew.watch(health.reporter(WATCHED), stop()));
    tasks.spawn("deadlines", deadlines.run(crew.consumer_status(), stop()));
    for (name, part) in crew.into_parts(stop()) {
        tasks.spawn(name, part);
    }
}

/// What works on this service's own tables alone.
fn spawn_sweepers(host: &Host, context: &Context, forgetting: Forgetting) {
    let (tasks, stop) = (host.tasks(), || host.workers());
    let every = Duration::from_millis(context.settings.changes_poll_ms);
    tasks.spawn("changes", context.changes.clone().run(context.read.clone(), every, stop()));
    tasks.spawn("forgetting", forgetting.run(stop()));
    let sweeper = idempotency::run_sweeper(
        context.messaging.database().clone(),
        host.seams().clock.clone(),
        context.settings.idempotency.clone(),
        stop(),
    );
    tasks.spawn("idempotency", sweeper);
}

fn read_gauges_before_scrapes(host: &Host, context: &Context, queries: &Queries) {
    let (metrics, queries) = (context.metrics.clone(), queries.clone());
    let clock = host.seams().clock.clone();
    host.metrics().before_scrape("runs", move || {
        let (metrics, queries, now) = (metrics.clone(), queries.clone(), clock.now());
        async move {
            let open = queries.open_pay_runs().await?;
            metrics.saga_active.set(i64::try_from(open).unwrap_or(i64::MAX));
            let oldest = queries.oldest_runs().await?;
            metrics.runs_are_as_old_as(|kind| {
                let began = oldest.iter().find(|(of, _)| of == kind.as_str());
                began.map_or(TimeDelta::zero(), |(_, at)| now - *at)
            });
            Ok::<_, Failure>(())
        }
    });
    let (metrics, changes) = (context.metrics.clone(), context.changes.clone());
    host.metrics().before_scrape("waiting calls", move || {
        let waiting = i64::try_from(changes.waiting()).unwrap_or(i64::MAX);
        metrics.waiting_calls.set(waiting);
        std::future::ready(Ok::<_, Failure>(()))
    });
}
