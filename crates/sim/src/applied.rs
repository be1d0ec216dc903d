//! How many events a service has applied, and how many it may have (I6: every inbox id once).
//!
//! The states decide about duplicates by themselves, so that an event which is applied twice shows
//! nowhere else. An instance that dies after its commit has applied events that are not counted
//! here: only too many are wrong.

use std::collections::BTreeMap;

use oms_events::Service;
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};

#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    applied: u64,
    forgotten: u64,
    discarded: u64,
}

/// What was applied, by service.
#[derive(Debug, Default)]
pub(crate) struct Applied(BTreeMap<&'static str, Tally>);

impl Applied {
    /// A step of this service's consumer has applied so many events.
    pub(crate) fn add(&mut self, service: Service, events: u64) {
        self.0.entry(service.name()).or_default().applied += events;
    }

    /// This service has forgotten so many inbox ids.
    pub(crate) fn forget(&mut self, service: Service, ids: u64) {
        self.0.entry(service.name()).or_default().forgotten += ids;
    }

    /// This service was told to discard so many events: their ids are in its inbox too.
    pub(crate) fn discard(&mut self, service: Service, events: u64) {
        self.0.entry(service.name()).or_default().discarded += events;
    }

    /// How it contradicts the inbox of the service.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub(crate) async fn broken(
        &self,
        service: Service,
        database: &DatabaseConnection,
    ) -> anyhow::Result<Option<String>> {
        let Tally { applied, forgotten, discarded } =
            self.0.get(service.name()).copied().unwrap_or_default();
        let statement =
            Statement::from_string(database.get_database_backend(), "SELECT count(*) FROM inbox");
        let row = database.query_one_raw(statement).await?;
        let there: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
        let claimed = (u64::try_from(there)? + forgotten).saturating_sub(discarded);
        let (name, times) = (service.name(), applied.saturating_sub(claimed));
        Ok((times > 0).then(|| format!("I6 {name} applied {times} events it had applied before")))
    }
}
