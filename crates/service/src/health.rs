//! Who is well: components by name, of one service and of the whole process.
//!
//! `/readyz`, gRPC health and the gate in front of the calls all read this, so that they say the
//! same thing.

use std::{
    collections::BTreeMap,
    fmt::Display,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

/// The component without which no call can be answered.
const CALLS_NEED: &str = "database";

/// The health of one service: its components, by name. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Health(Arc<watch::Sender<State>>);

#[derive(Clone, Debug, Default)]
struct State {
    /// What is wrong with each component; `None` is well.
    components: BTreeMap<String, Option<String>>,
    /// Whether everything was up at any time.
    was_ready: bool,
    draining: bool,
}

impl State {
    fn trouble(&self) -> Option<String> {
        if self.draining {
            return Some("draining".to_owned());
        }
        let mut down = self.components.iter().filter_map(|(name, why)| Some((name, why.as_ref()?)));
        down.next().map(|(name, why)| format!("{name}: {why}"))
    }
}

impl Default for Health {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(State::default())))
    }
}

impl Health {
    /// The component `name`, which starts down ("starting"). Asking again gives the same one.
    #[must_use]
    pub fn component(&self, name: &str) -> Component {
        self.0.send_modify(|state| {
            state.components.entry(name.to_owned()).or_insert(Some("starting".to_owned()));
        });
        Component { health: self.clone(), name: name.to_owned() }
    }

    /// Components with these names, each as from [`Health::component`], and what tells about them
    /// by name: for whoever must not know this crate.
    pub fn reporter<const N: usize>(
        &self,
        names: [&'static str; N],
    ) -> impl Fn(&'static str, Result<(), String>) + Send + Sync + 'static + use<N> {
        let components = names.map(|name| self.component(name));
        move |name, answer| {
            for component in components.iter().filter(|component| component.name == name) {
                component.tell(answer.as_ref().copied());
            }
        }
    }

    /// Whether every component is up and the service does not drain.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.trouble().is_none()
    }

    /// Whether calls are answered: it was ready once, does not drain, and its database is up. What
    /// else is down is an outage behind the calls, which no other instance would be spared.
    #[must_use]
    pub fn takes_calls(&self) -> bool {
        let state = self.0.borrow();
        let needed = state.components.get(CALLS_NEED).is_none_or(Option::is_none);
        state.was_ready && !state.draining && needed
    }

    /// Whether the service was ready at any time: what is down now is an outage and no start.
    #[must_use]
    pub fn was_ready(&self) -> bool {
        self.0.borrow().was_ready
    }

    /// The first thing that is wrong, if any.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.0.borrow().trouble()
    }

    /// Every component with what is wrong with it; `None` is well.
    #[must_use]
    pub fn components(&self) -> Vec<(String, Option<String>)> {
        self.0.borrow().components.clone().into_iter().collect()
    }

    /// Resolves when everything is up.
    pub async fn wait_ready(&self) {
        self.wait(true).await;
    }

    /// Resolves as soon as readiness is `ready`.
    pub(crate) async fn wait(&self, ready: bool) {
        // Cannot fail: `self` holds the sender.
        let _ = self.0.subscribe().wait_for(|state| state.trouble().is_none() == ready).await;
    }

    /// Whether the service is draining.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.0.borrow().draining
    }

    pub(crate) fn drain(&self) {
        self.0.send_modify(|state| state.draining = true);
    }
}

/// One part of a service that is up or down.
#[derive(Clone, Debug)]
pub struct Component {
    health: Health,
    name: String,
}

impl Component {
    /// The component works.
    pub fn up(&self) {
        self.set(None);
    }

    /// The component does not work, because of `why`.
    pub fn down(&self, why: impl Into<String>) {
        self.set(Some(why.into()));
    }

    /// The component is as `answer` says.
    pub(crate) fn tell<E: Display>(&self, answer: Result<(), E>) {
        self.set(answer.err().map(|why| why.to_string()));
    }

    fn set(&self, why: Option<String>) {
        self.health.0.send_if_modified(|state| {
            let now = state.components.entry(self.name.clone()).or_default();
            let changed = *now != why;
            *now = why;
            state.was_ready |= state.trouble().is_none();
            changed
        });
    }
}

/// The health of all services of a process.
#[derive(Debug, Default)]
pub(crate) struct HealthRegistry(Mutex<BTreeMap<&'static str, Health>>);

impl HealthRegistry {
    /// Registers a service; one started again under its name takes the old one's place.
    pub(crate) fn register(&self, service: &'static str, health: Health) {
        self.lock().insert(service, health);
    }

    /// Every service with its health.
    pub(crate) fn all(&self) -> Vec<(&'static str, Health)> {
        self.lock().iter().map(|(name, health)| (*name, health.clone())).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, Health>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
