//! The host of one service: binds early, starts late, drains, and can be killed.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use oms_seams::Seams;
use tokio_util::sync::CancellationToken;

use crate::{
    error::StartError,
    grpc::{self, GrpcApi, GrpcSettings},
    health::{Component, Health},
    metrics::Metrics,
    process::Process,
    tasks::Tasks,
    tls::Tls,
};

/// The service did not become ready in time.
#[derive(Debug, thiserror::Error)]
#[error("{service} is not ready after {seconds} s: {trouble}", seconds = within.as_secs_f32())]
pub struct NotReady {
    /// The service.
    pub service: &'static str,
    /// How long was waited.
    pub within: Duration,
    /// The first component that is down, and why.
    pub trouble: String,
}

/// What one service stands on: seams, metrics, health, tasks, ports, and when to stop. Cheap to
/// clone.
///
/// A service does not know whether others share its process. Its life: `start(config, host)` binds,
/// registers components and spawns; [`Host::ready`] says that start is over and waits until all is
/// up; [`Host::drain`] stops taking calls, then stops the workers.
#[derive(Clone, Debug)]
pub struct Host(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    name: &'static str,
    seams: Seams,
    process: Process,
    metrics: Metrics,
    health: Health,
    /// Up once start is over: until then there may be components nobody has heard of yet.
    start: Component,
    tasks: Tasks,
    intake: CancellationToken,
    workers: CancellationToken,
}

impl Host {
    /// A host for the service `name` in `process`.
    #[must_use]
    pub fn new(name: &'static str, seams: Seams, process: Process) -> Self {
        let health = Health::default();
        let start = health.component("start");
        process.register(name, health.clone());
        let tasks = Tasks::new(name, process.failed().clone());
        let workers = tasks.killed().child_token();
        Self(Arc::new(Shared {
            name,
            seams,
            metrics: process.metrics().owned_by(workers.clone()),
            health,
            start,
            intake: tasks.killed().child_token(),
            workers,
            tasks,
            process,
        }))
    }

    /// The service's name, for example `order`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.0.name
    }

    /// Clock, ids and fault points.
    #[must_use]
    pub fn seams(&self) -> &Seams {
        &self.0.seams
    }

    /// What the services of this process share.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.0.process
    }

    /// The process's metrics; label what you register with [`Host::name`].
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// This service's components. Register all of them before `start` returns.
    #[must_use]
    pub fn health(&self) -> &Health {
        &self.0.health
    }

    /// Where tasks are spawned.
    #[must_use]
    pub fn tasks(&self) -> &Tasks {
        &self.0.tasks
    }

    /// Cancelled first: take no new work. Calls drain while the workers still run.
    #[must_use]
    pub fn intake(&self) -> CancellationToken {
        self.0.intake.clone()
    }

    /// Cancelled second: relay, consumer and sweepers finish.
    #[must_use]
    pub fn workers(&self) -> CancellationToken {
        self.0.workers.clone()
    }

    /// Listens on the address that `setting` names; see [`Process::bind`].
    ///
    /// # Errors
    /// [`StartError::PortTaken`] and [`StartError::Address`], which name the setting.
    pub async fn bind(&self, setting: &str, address: &str) -> Result<SocketAddr, StartError> {
        self.0.process.bind(setting, address).await
    }

    /// Serves gRPC on the address that `setting` names, bound now unless it was bound before. Until
    /// the service is ready, and again while it drains, calls are answered UNAVAILABLE.
    ///
    /// # Errors
    /// When the address cannot be bound or the descriptors do not decode.
    pub async fn serve_grpc(
        &self,
        setting: &str,
        settings: &GrpcSettings,
        api: GrpcApi,
    ) -> Result<SocketAddr, StartError> {
        self.serve_grpc_or_tls(setting, settings, None, api).await
    }

    /// As [`Host::serve_grpc`], on a port that also answers `tls` where there is one: what a
    /// connection's first byte asks for.
    ///
    /// # Errors
    /// As [`Host::serve_grpc`].
    pub async fn serve_grpc_or_tls(
        &self,
        setting: &str,
        settings: &GrpcSettings,
        tls: Option<Tls>,
        api: GrpcApi,
    ) -> Result<SocketAddr, StartError> {
        let address = self.bind(setting, &settings.listen).await?;
        let door = grpc::Door::new(self.0.process.take(setting)?, tls);
        grpc::serve(self, door, setting, settings, api)?;
        Ok(address)
    }

    /// Says that start is over, and waits until every component is up.
    ///
    /// # Errors
    /// [`NotReady`], which names the first component that is down.
    pub async fn ready(&self, within: Duration) -> Result<(), NotReady> {
        self.0.start.up();
        let health = self.health();
        tokio::time::timeout(within, health.wait_ready()).await.map_err(|_| NotReady {
            service: self.name(),
            within,
            trouble: health.trouble().unwrap_or_default(),
        })
    }

    /// Stops in order: not ready any more; no new calls, those that run are answered; then the
    /// workers finish. What has not ended after `within` is killed.
    pub async fn drain(&self, within: Duration) {
        let shared = &self.0;
        let ordered = async {
            shared.health.drain();
            shared.intake.cancel();
            // The workers keep a part of the time, however long the calls take.
            if tokio::time::timeout(within.mul_f32(0.7), shared.tasks.join_intake()).await.is_err()
            {
                tracing::warn!(service = shared.name, "calls did not end in time");
            }
            shared.workers.cancel();
            shared.tasks.join_all().await;
        };
        if tokio::time::timeout(within, ordered).await.is_err() {
            tracing::warn!(service = shared.name, "tasks did not end in time and are killed");
        }
        self.kill();
        self.gone().await;
    }

    /// Ends every task at its next await, as `kill -9` would: no drain, no answer, no last flush.
    pub fn kill(&self) {
        self.0.health.drain();
        self.0.tasks.kill();
    }

    /// Resolves when every task of this host has ended.
    pub async fn gone(&self) {
        self.0.tasks.join_all().await;
    }
}
