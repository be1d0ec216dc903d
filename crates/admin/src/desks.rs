//! The services of a process as operators meet them: one desk each.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use oms_messaging::DeadLetters;
use oms_service::{Health, Host, Refusal, Tasks};
use tonic::Code;

/// Every desk of a process, by the service's name.
#[derive(Debug, Default)]
pub(crate) struct Desks {
    open: Mutex<BTreeMap<&'static str, Desk>>,
    opened: AtomicU64,
}

/// One service: its letters, and whether it takes calls.
#[derive(Clone, Debug)]
pub(crate) struct Desk {
    pub(crate) name: &'static str,
    pub(crate) letters: DeadLetters,
    pub(crate) tasks: Tasks,
    health: Health,
    /// Set once the service has been ready: what goes away later is the calls' own concern.
    was_ready: Arc<AtomicBool>,
    number: u64,
}

/// Closes a desk when it is dropped, unless the service was started again meanwhile.
#[derive(Debug)]
pub(crate) struct Open {
    desks: Weak<Desks>,
    name: &'static str,
    number: u64,
}

impl Drop for Open {
    fn drop(&mut self) {
        let Some(desks) = self.desks.upgrade() else { return };
        let mut open = desks.desks();
        if open.get(self.name).is_some_and(|desk| desk.number == self.number) {
            open.remove(self.name);
        }
    }
}

impl Desks {
    /// Opens the desk of the service on `host`.
    pub(crate) fn open(self: &Arc<Self>, host: &Host, letters: DeadLetters) -> Open {
        let number = self.opened.fetch_add(1, Ordering::SeqCst);
        let name = host.name();
        let desk = Desk {
            name,
            letters,
            tasks: host.tasks().clone(),
            health: host.health().clone(),
            was_ready: Arc::default(),
            number,
        };
        self.desks().insert(name, desk);
        Open { desks: Arc::downgrade(self), name, number }
    }

    /// The desk of a service, or all when `name` is empty, each ready to take a call.
    pub(crate) fn of(&self, name: &str) -> Result<Vec<Desk>, Refusal> {
        let all: Vec<Desk> = self.desks().values().cloned().collect();
        let here: Vec<&str> = all.iter().map(|desk| desk.name).collect();
        let here = here.join(", ");
        let wanted: Vec<Desk> =
            all.into_iter().filter(|desk| name.is_empty() || desk.name == name).collect();
        if wanted.is_empty() && !name.is_empty() {
            let message = format!("service {name} is not in this process, which runs: {here}");
            return Err(Refusal::new(Code::NotFound, "SERVICE_NOT_HERE", message));
        }
        wanted.iter().try_for_each(Desk::admit)?;
        Ok(wanted)
    }

    /// The one desk that a letter's number is about.
    pub(crate) fn one(&self, name: &str) -> Result<Desk, Refusal> {
        let mut found = self.of(name)?;
        match (found.len(), found.pop()) {
            (1, Some(desk)) => Ok(desk),
            _ => Err(Refusal::invalid_field(
                "service",
                "service is required: numbers of letters count per service",
            )),
        }
    }

    fn desks(&self) -> MutexGuard<'_, BTreeMap<&'static str, Desk>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Desk {
    /// Whether it takes a call: not before the service was ready, and not while it drains.
    fn admit(&self) -> Result<(), Refusal> {
        let name = self.name;
        if self.health.is_draining() {
            let message = format!("{name} is shutting down");
            let again = Duration::from_secs(1);
            return Err(Refusal::unavailable("DRAINING", message).retry_after(again));
        }
        if !self.was_ready.load(Ordering::Acquire) {
            if !self.health.is_ready() {
                return Err(Refusal::unavailable("STARTING", format!("{name} is starting")));
            }
            self.was_ready.store(true, Ordering::Release);
        }
        Ok(())
    }
}
