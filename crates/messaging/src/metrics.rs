//! Messaging's metrics: one set of families per process, labelled by service.

use std::sync::{Arc, atomic::AtomicU64};

use chrono::{DateTime, Utc};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};

use crate::{Action, Failure};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Of {
    service: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    service: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    service: String,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Done {
    service: String,
    action: &'static str,
}

#[derive(Debug)]
struct Families {
    outbox_pending: Family<Of, Gauge>,
    outbox_oldest_age: Family<Of, Gauge<f64, AtomicU64>>,
    outbox_published: Family<Outcome, Counter>,
    outbox_wait: Family<Of, Histogram>,
    relay_active: Family<Of, Gauge>,
    events_handled: Family<Outcome, Counter>,
    events_ignored: Family<Of, Counter>,
    inbox_duplicates: Family<Of, Counter>,
    inbox_parked: Family<Of, Gauge>,
    dead_letters: Family<Reason, Counter>,
    interventions: Family<Done, Counter>,
    consumer_lag: Family<Of, Gauge>,
    consumer_retries: Family<Reason, Counter>,
    asks: Family<Of, Counter>,
    answers: Family<Of, Counter>,
}

impl Default for Families {
    fn default() -> Self {
        Self {
            outbox_pending: Family::default(),
            outbox_oldest_age: Family::default(),
            outbox_published: Family::default(),
            // From 1 ms to half a minute, by doubling.
            outbox_wait: Family::new_with_constructor(|| {
                Histogram::new(exponential_buckets(0.001, 2.0, 16))
            }),
            relay_active: Family::default(),
            events_handled: Family::default(),
            events_ignored: Family::default(),
            inbox_duplicates: Family::default(),
            inbox_parked: Family::default(),
            dead_letters: Family::default(),
            interventions: Family::default(),
            consumer_lag: Family::default(),
            consumer_retries: Family::default(),
            asks: Family::default(),
            answers: Family::default(),
        }
    }
}

/// Messaging's metrics, bound to the label of one service. Cheap to clone.
#[derive(Clone, Debug)]
pub struct MessagingMetrics {
    families: Arc<Families>,
    service: String,
}

impl MessagingMetrics {
    /// Registers the families; once per process.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let f = Families::default();
        let r = registry;
        let family = &f.outbox_pending;
        r.register("oms_outbox_pending", "Rows that wait to be published", family.clone());
        r.register(
            "oms_outbox_oldest_age_seconds",
            "Age of the oldest row that waits to be published for the first time",
            f.outbox_oldest_age.clone(),
        );
        let family = &f.outbox_published;
        r.register("oms_outbox_published", "Publications by their outcome", family.clone());
        r.register(
            "oms_outbox_wait_seconds",
            "From an event's row to its delivery report, the first time it is published",
            f.outbox_wait.clone(),
        );
        let family = &f.relay_active;
        r.register(
            "oms_relay_active",
            "Whether this process holds the relay's lease",
            family.clone(),
        );
        let family = &f.events_handled;
        r.register("oms_events_handled", "Events that reached a reaction", family.clone());
        let family = &f.events_ignored;
        r.register("oms_events_ignored", "Events of a type nobody hears", family.clone());
        let family = &f.inbox_duplicates;
        r.register("oms_inbox_duplicates", "Events that had been applied before", family.clone());
        let family = &f.inbox_parked;
        r.register("oms_inbox_parked", "Events that wait in parking", family.clone());
        r.register("oms_dlq_messages", "Dead letters by their reason", f.dead_letters.clone());
        r.register("oms_dlq_settled", "Dead letters by what was done", f.interventions.clone());
        let family = &f.consumer_lag;
        r.register("oms_consumer_lag", "Records between here and the log's end", family.clone());
        let family = &f.consumer_retries;
        r.register("oms_consumer_retries", "Failed tries of an event", family.clone());
        r.register("oms_asks", "Streams asked about", f.asks.clone());
        r.register("oms_answers", "Streams said again because somebody asked", f.answers.clone());
        Self { families: Arc::new(f), service: String::new() }
    }

    /// The same families with the label of one service, its series present from the start.
    #[must_use]
    pub fn for_service(&self, service: &str) -> Self {
        let bound = Self { families: Arc::clone(&self.families), service: service.to_owned() };
        let f = &bound.families;
        for gauge in [&f.outbox_pending, &f.relay_active, &f.inbox_parked, &f.consumer_lag] {
            gauge.get_or_create(&bound.of()).set(0);
        }
        f.outbox_oldest_age.get_or_create(&bound.of()).set(0.0);
        for counter in [&f.events_ignored, &f.inbox_duplicates, &f.asks, &f.answers] {
            drop(counter.get_or_create(&bound.of()));
        }
        for action in [Action::Redriven, Action::Discarded] {
            drop(f.interventions.get_or_create(&bound.done(action)));
        }
        bound.published("ok", 0);
        drop(f.outbox_wait.get_or_create(&bound.of()));
        bound
    }

    /// Reads the gauges that the database knows: to be called before a scrape.
    ///
    /// # Errors
    /// Any failure of the store; the gauges keep their last values then.
    pub async fn refresh(
        &self,
        database: &DatabaseConnection,
        now: DateTime<Utc>,
    ) -> Result<(), Failure> {
        let read = Statement::from_string(
            database.get_database_backend(),
            "SELECT count(*), min(CASE WHEN generation = 0 THEN created_at END), \
             (SELECT count(*) FROM parked) \
             FROM outbox WHERE published_at IS NULL",
        );
        let Some(row) = database.query_one_raw(read).await? else { return Ok(()) };
        let oldest: Option<i64> = row.try_get_by_index(1)?;
        let age = oldest.map_or(0, |at| (now.timestamp_micros() - at).max(0));
        let f = &self.families;
        f.outbox_pending.get_or_create(&self.of()).set(row.try_get_by_index(0)?);
        #[allow(clippy::cast_precision_loss, reason = "an age for a graph")]
        f.outbox_oldest_age.get_or_create(&self.of()).set(age as f64 / 1e6);
        f.inbox_parked.get_or_create(&self.of()).set(row.try_get_by_index(2)?);
        Ok(())
    }

    fn of(&self) -> Of {
        Of { service: self.service.clone() }
    }

    fn outcome(&self, outcome: &'static str) -> Outcome {
        Outcome { service: self.service.clone(), outcome }
    }

    fn reason(&self, reason: &'static str) -> Reason {
        Reason { service: self.service.clone(), reason }
    }

    fn done(&self, action: Action) -> Done {
        Done { service: self.service.clone(), action: action.name() }
    }

    pub(crate) fn intervened(&self, action: Action) {
        self.families.interventions.get_or_create(&self.done(action)).inc();
    }

    pub(crate) fn published(&self, outcome: &'static str, rows: u64) {
        self.families.outbox_published.get_or_create(&self.outcome(outcome)).inc_by(rows);
    }

    /// Rows were delivered for the first time, after these waits in microseconds.
    pub(crate) fn waited(&self, micros: impl Iterator<Item = i64>) {
        let waits = self.families.outbox_wait.get_or_create(&self.of());
        for wait in micros {
            #[allow(clippy::cast_precision_loss, reason = "a duration for a graph")]
            waits.observe(wait.max(0) as f64 / 1e6);
        }
    }

    pub(crate) fn relay_active(&self, active: bool) {
        self.families.relay_active.get_or_create(&self.of()).set(i64::from(active));
    }

    pub(crate) fn handled(&self, outcome: &'static str, events: u64) {
        self.families.events_handled.get_or_create(&self.outcome(outcome)).inc_by(events);
    }

    pub(crate) fn ignored(&self, events: u64) {
        self.families.events_ignored.get_or_create(&self.of()).inc_by(events);
    }

    pub(crate) fn duplicates(&self, events: u64) {
        self.families.inbox_duplicates.get_or_create(&self.of()).inc_by(events);
    }

    pub(crate) fn dead_letter(&self, reason: &'static str) {
        self.families.dead_letters.get_or_create(&self.reason(reason)).inc();
    }

    pub(crate) fn lag(&self, records: i64) {
        self.families.consumer_lag.get_or_create(&self.of()).set(records);
    }

    pub(crate) fn retried(&self, reason: &'static str) {
        self.families.consumer_retries.get_or_create(&self.reason(reason)).inc();
    }

    pub(crate) fn asked(&self, streams: u64) {
        self.families.asks.get_or_create(&self.of()).inc_by(streams);
    }

    pub(crate) fn answered(&self, streams: u64) {
        self.families.answers.get_or_create(&self.of()).inc_by(streams);
    }
}
