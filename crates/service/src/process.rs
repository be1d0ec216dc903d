//! What the services of one process share.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::net::TcpListener;

use crate::{
    admin_api::AdminApis,
    error::StartError,
    grpc::GrpcApi,
    health::{Health, HealthRegistry},
    listen::Listening,
    metrics::Metrics,
    tasks::{Failed, Tasks},
};

/// What the services of one process share: metrics, health, bound ports, and the verdict that the
/// process must stop. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Process(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    metrics: Metrics,
    health: HealthRegistry,
    failed: Failed,
    tasks: Tasks,
    listening: Mutex<HashMap<String, Listening>>,
    admin: AdminApis,
}

impl Default for Process {
    fn default() -> Self {
        Self::new()
    }
}

impl Process {
    /// A process with nothing in it yet.
    #[must_use]
    pub fn new() -> Self {
        let failed = Failed::default();
        Self(Arc::new(Shared {
            metrics: Metrics::default(),
            health: HealthRegistry::default(),
            tasks: Tasks::new("process", failed.clone()),
            failed,
            listening: Mutex::default(),
            admin: AdminApis::default(),
        }))
    }

    /// The process's metrics.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// Tells when a task of any service has failed; the process must then stop.
    #[must_use]
    pub fn failed(&self) -> &Failed {
        &self.0.failed
    }

    /// Every service with its health, by name.
    #[must_use]
    pub fn health(&self) -> Vec<(&'static str, Health)> {
        self.0.health.all()
    }

    /// Tasks of the process itself, such as the admin server.
    #[must_use]
    pub fn tasks(&self) -> &Tasks {
        &self.0.tasks
    }

    /// What the services of the process share of an admin API: the first to ask mounts it on the
    /// admin port, all get the same `T`.
    pub fn admin_api<T: Default + Send + Sync + 'static>(
        &self,
        api: impl FnOnce(Arc<T>) -> GrpcApi,
    ) -> Arc<T> {
        self.0.admin.shared(api)
    }

    pub(crate) fn admin_apis(&self) -> &AdminApis {
        &self.0.admin
    }

    /// Listens on the address that `setting` names, or gives the listener that is there already:
    /// so all ports can be taken before anything starts. `localhost:PORT` is both loopbacks, port 0
    /// is any free one.
    ///
    /// # Errors
    /// [`StartError::PortTaken`] and [`StartError::Address`], which name the setting.
    pub async fn bind(&self, setting: &str, address: &str) -> Result<SocketAddr, StartError> {
        if let Some(bound) = self.listening().get(setting) {
            return Ok(bound.address());
        }
        let bound = Listening::bind(setting, address).await?;
        let at = bound.address();
        self.listening().insert(setting.to_owned(), bound);
        Ok(at)
    }

    /// Takes the listener of `setting` to serve on it.
    pub(crate) fn take(&self, setting: &str) -> Result<Listening, StartError> {
        self.listening()
            .remove(setting)
            .ok_or_else(|| StartError::other(setting, "not bound, or served already"))
    }

    /// Takes the sockets of `setting`, for a protocol this crate does not serve itself.
    ///
    /// # Errors
    /// When they were not bound, or are taken already.
    pub fn listeners(&self, setting: &str) -> Result<Vec<TcpListener>, StartError> {
        Ok(self.take(setting)?.into_listeners())
    }

    pub(crate) fn register(&self, service: &'static str, health: Health) {
        self.0.health.register(service, health);
    }

    fn listening(&self) -> MutexGuard<'_, HashMap<String, Listening>> {
        self.0.listening.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
