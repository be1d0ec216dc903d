//! Puts an API on its port.

use std::{sync::Arc, time::Duration};

use tonic::transport::Server;
use tonic_health::{
    ServingStatus,
    server::{HealthReporter, HealthService},
};
use tonic_reflection::server::Builder;

use super::{
    api::{GrpcApi, methods},
    door::Door,
    gate::Gate,
    layer::{GrpcLayer, Shared},
    meter::GrpcMetrics,
    settings::GrpcSettings,
};
use crate::{error::StartError, health::Health, host::Host};

/// How often an idle connection is asked whether it lives.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
/// How long it may take to answer.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a drain waits, after the last answer, for clients to close their connections: some
/// never do, and some never said a word.
const HANG_UP_AFTER: Duration = Duration::from_millis(300);
/// Calls at the same time on one connection.
const STREAMS_MAX: u32 = 1_024;

const HEALTH: &str = "grpc.health.v1.Health";
const REFLECTION: [&str; 2] =
    ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"];

/// Serves `api` at `door` until the host's intake ends.
pub(crate) fn serve(
    host: &Host,
    door: Door,
    setting: &str,
    settings: &GrpcSettings,
    api: GrpcApi,
) -> Result<(), StartError> {
    let undecodable = |error: &dyn std::fmt::Display| StartError::other(setting, error);
    let described = api.descriptors().map_err(|error| undecodable(&error))?;
    let methods = methods(&described);
    let reflection = || {
        let mut builder = Builder::configure();
        for set in &described {
            builder = builder.register_file_descriptor_set(set.clone());
        }
        let names = api.names().iter().copied().chain([HEALTH]).chain(REFLECTION);
        names.fold(builder, |builder, name| builder.with_service_name(name))
    };
    let v1 = reflection().build_v1().map_err(|error| undecodable(&error))?;
    let v1alpha = reflection().build_v1alpha().map_err(|error| undecodable(&error))?;
    let reporter = HealthReporter::new();
    let health = tonic_health::pb::health_server::HealthServer::new(
        HealthService::from_health_reporter(reporter.clone()),
    );
    let gate = Gate::new(host.health().clone(), settings.concurrency_max);
    let layer = GrpcLayer(Arc::new(Shared {
        owner: host.name(),
        gate: gate.clone(),
        methods,
        metrics: host.metrics().group(GrpcMetrics::register),
        intake: host.intake(),
        killed: host.tasks().killed().clone(),
    }));
    let names: Vec<_> = api.names().iter().copied().chain([""]).collect();
    let routes = api.into_routes().add_service(health).add_service(v1).add_service(v1alpha);
    let server = Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .max_concurrent_streams(STREAMS_MAX)
        .layer(layer)
        .add_routes(routes);
    let hang_up = host.tasks().killed().child_token();
    let incoming = door.connections(hang_up.clone());
    let (intake, own_health) = (host.intake(), host.health().clone());
    host.tasks().spawn_intake("grpc", async move {
        // Before the first connection is accepted, so that nobody is told "serving" too early.
        report(&reporter, &names, ServingStatus::NotServing).await;
        let stop = intake.clone().cancelled_owned();
        let serving = server.serve_with_incoming_shutdown(incoming, stop);
        let following = async {
            tokio::select! {
                // First, so that a drain is reported before the connections end.
                biased;
                () = follow(own_health, gate.clone(), reporter, names) => {}
                // A service that drains before it was ever ready.
                () = intake.cancelled() => {}
            }
            intake.cancelled().await;
            gate.idle().await;
            tokio::time::sleep(HANG_UP_AFTER).await;
        };
        let served = tokio::select! {
            served = serving => served,
            () = following => Ok(()),
        };
        hang_up.cancel();
        served
    });
    Ok(())
}

/// Keeps gRPC health at what the host says, until it drains.
async fn follow(health: Health, gate: Gate, reporter: HealthReporter, names: Vec<&'static str>) {
    loop {
        health.wait(true).await;
        gate.open();
        report(&reporter, &names, ServingStatus::Serving).await;
        health.wait(false).await;
        report(&reporter, &names, ServingStatus::NotServing).await;
        if health.is_draining() {
            return;
        }
    }
}

async fn report(reporter: &HealthReporter, names: &[&'static str], status: ServingStatus) {
    for name in names {
        reporter.set_service_status(*name, status).await;
    }
}
