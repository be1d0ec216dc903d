//! The services of a process as operators meet them: one desk each.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use oms_messaging::DeadLetters;
use oms_service::{Health, Host, Process, Refusal, Tasks};
use tokio_util::sync::CancellationToken;
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
    /// Cancelled when the service takes in no more.
    pub(crate) intake: CancellationToken,
    health: Health,
    /// Whose services those without a desk are: it knows them before they open one.
    process: Process,
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
            intake: host.intake(),
            health: host.health().clone(),
            process: host.process().clone(),
            number,
        };
        self.desks().insert(name, desk);
        Open { desks: Arc::downgrade(self), name, number }
    }

    /// The desk of a service, or all when `name` is empty, each ready to take a call. A service of
    /// the process that has no desk now is about to open one, or has closed it: that is told, and
    /// never passed over as if it had no letters.
    pub(crate) fn of(&self, name: &str) -> Result<Vec<Desk>, Refusal> {
        let open = self.desks().clone();
        let Some(any) = open.values().next() else { return Err(draining("the process")) };
        let services = any.process.health();
        let here: Vec<&str> = services.iter().map(|(service, _)| *service).collect();
        if !name.is_empty() && !here.contains(&name) {
            let here = here.join(", ");
            let message = format!("service {name} is not in this process, which runs: {here}");
            return Err(Refusal::new(Code::NotFound, "SERVICE_NOT_HERE", message));
        }
        let wanted = services.iter().filter(|(service, _)| name.is_empty() || *service == name);
        wanted
            .map(|(service, health)| match open.get(service) {
                Some(desk) => desk.admit().map(|()| desk.clone()),
                None if health.is_draining() => Err(draining(service)),
                None => Err(starting(service)),
            })
            .collect()
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
    /// Whether it takes a call: not before the service was ready, and not while it drains. What
    /// goes away later is the calls' own concern.
    fn admit(&self) -> Result<(), Refusal> {
        if self.health.is_draining() {
            return Err(draining(self.name));
        }
        if !self.health.was_ready() {
            return Err(starting(self.name));
        }
        Ok(())
    }
}

fn starting(who: &str) -> Refusal {
    Refusal::unavailable("STARTING", format!("{who} is starting"))
}

fn draining(who: &str) -> Refusal {
    let message = format!("{who} is shutting down");
    Refusal::unavailable("DRAINING", message).retry_after(Duration::from_secs(1))
}
