//! One registry per process; every family carries the service as a label.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    fmt::{self, Display},
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::{
    FutureExt,
    future::{BoxFuture, join_all},
};
use prometheus_client::{encoding::text, registry::Registry};
use tokio_util::sync::CancellationToken;

/// The content type of [`Metrics::scrape`].
pub(crate) const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// The content type for readers that know only the older text format, of which the page is one too.
pub(crate) const PLAIN: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A refresh that takes longer is left behind: an old gauge is better than no page.
const REFRESH_MAX: Duration = Duration::from_secs(2);

/// The metrics of a process, as one of its services sees them. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    shared: Arc<Mutex<Shared>>,
    owner: CancellationToken,
}

#[derive(Default)]
struct Shared {
    registry: Registry,
    groups: HashMap<TypeId, Arc<dyn Any + Send + Sync>>,
    hooks: Vec<Hook>,
}

struct Hook {
    owner: CancellationToken,
    refresh: Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self { shared: Arc::default(), owner: CancellationToken::new() }
    }
}

impl Metrics {
    /// The same registry, whose hooks end with `owner`.
    pub(crate) fn owned_by(&self, owner: CancellationToken) -> Self {
        Self { shared: self.shared.clone(), owner }
    }

    /// The group of metrics of type `T`: registered at the first call in the process, shared by all
    /// later ones, so that three services meet in one family.
    #[must_use]
    pub fn group<T: Send + Sync + 'static>(&self, register: fn(&mut Registry) -> T) -> Arc<T> {
        let mut shared = self.lock();
        let Shared { registry, groups, .. } = &mut *shared;
        let group = groups.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(register(registry)));
        match group.clone().downcast::<T>() {
            Ok(group) => group,
            // The map is keyed by the type, so this arm is never reached.
            Err(_) => Arc::new(register(registry)),
        }
    }

    /// Runs `refresh` before every scrape, for the gauges `of` something that is read from a
    /// database; when it fails they keep their last values. Ends with the host it was registered
    /// through.
    pub fn before_scrape<F, Fut, E>(&self, of: &'static str, refresh: F)
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Display,
    {
        let refresh = Arc::new(move || -> BoxFuture<'static, ()> {
            Box::pin(refresh().map(move |refreshed| {
                if let Err(error) = refreshed {
                    tracing::debug!(of, %error, "gauges keep their last values");
                }
            }))
        });
        self.lock().hooks.push(Hook { owner: self.owner.clone(), refresh });
    }

    /// Refreshes what is read on demand, then renders.
    pub async fn scrape(&self) -> String {
        let due: Vec<_> = {
            let mut shared = self.lock();
            shared.hooks.retain(|hook| !hook.owner.is_cancelled());
            shared.hooks.iter().map(|hook| (hook.refresh)()).collect()
        };
        let _ = tokio::time::timeout(REFRESH_MAX, join_all(due)).await;
        self.render()
    }

    /// The metrics as they are, in the text format of OpenMetrics.
    #[must_use]
    pub fn render(&self) -> String {
        let mut page = String::new();
        // Writing to a `String` cannot fail.
        let _ = text::encode(&mut page, &self.lock().registry);
        page
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
