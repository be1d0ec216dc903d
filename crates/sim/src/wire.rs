//! The simulated log as a service sees it: what is said and heard is noted, and a publication can
//! be held on its way.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use oms_events::TOPIC;
use oms_messaging::{
    Delivery, Event, Log, LogError, PublishError, Record, SimulatedLog, Subscription,
    log::Partition,
};

use crate::{
    trail::Trail,
    trap::{Place, Trap},
};

/// The header that marks a question.
const ASK: &str = "oms-ask";

/// The log, watched.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    log: SimulatedLog,
    trail: Arc<Trail>,
    trap: Arc<Trap>,
}

impl Wire {
    /// The log with whoever watches it.
    #[must_use]
    pub(crate) fn new(log: SimulatedLog, trail: Arc<Trail>, trap: Arc<Trap>) -> Self {
        Self { log, trail, trap }
    }

    fn note(&self, records: &[Record], reports: &[Result<(), PublishError>]) {
        let failed = reports.iter().any(Result::is_err);
        // A record whose report is lost may be there all the same.
        let there: BTreeSet<String> = if failed { self.there() } else { BTreeSet::new() };
        for (record, report) in records.iter().zip(reports) {
            let Ok(event) = Event::parse(&record.payload) else { continue };
            let id = event.id.to_string();
            let lost = if report.is_ok() { "" } else { " (no report)" };
            self.trail.note(format!("{}{lost}", short(&event, record, &self.trail)));
            if record.topic != TOPIC {
                continue;
            }
            if report.is_ok() || there.contains(&id) {
                self.trail.count(|counts| counts.events += 1);
                self.trail.said(id, event.event_type);
            }
            if report.is_err() {
                self.trail.count(|counts| counts.failures += 1);
            }
        }
    }

    fn there(&self) -> BTreeSet<String> {
        let events = self.log.records(TOPIC);
        let ids = events.iter().filter_map(|found| Event::parse(&found.record.payload).ok());
        ids.map(|event| event.id.to_string()).collect()
    }
}

/// `submitted(o1)`, with a question mark where it asks.
fn short(event: &Event, record: &Record, trail: &Trail) -> String {
    let asks = record.headers.iter().any(|(name, _)| name == ASK);
    let name = trail.name(&event.subject);
    let kind = event.event_type.trim_start_matches("oms.").trim_end_matches(".v1");
    format!("{kind}({name}){}", if asks { "?" } else { "" })
}

#[async_trait]
impl Log for Wire {
    async fn publish(&self, records: Vec<Record>) -> Vec<Result<(), PublishError>> {
        self.trap.pass(Place::BeforePublish).await;
        let reports = self.log.publish(records.clone()).await;
        self.note(&records, &reports);
        self.trap.pass(Place::AfterPublish).await;
        reports
    }

    async fn subscribe(
        &self,
        group: &str,
        topics: &[&str],
    ) -> Result<Box<dyn Subscription>, LogError> {
        let inner = self.log.subscribe(group, topics).await?;
        Ok(Box::new(Ear { inner, trail: self.trail.clone() }))
    }

    async fn ping(&self) -> Result<(), LogError> {
        self.log.ping().await
    }
}

/// A subscription, watched.
struct Ear {
    inner: Box<dyn Subscription>,
    trail: Arc<Trail>,
}

#[async_trait]
impl Subscription for Ear {
    async fn poll(&mut self, max: usize, wait: Duration) -> Result<Vec<Delivery>, LogError> {
        let heard = self.inner.poll(max, wait).await?;
        self.trail.count(|counts| counts.delivered += heard.len() as u64);
        for Delivery { partition, offset, record, .. } in &heard {
            let what = match Event::parse(&record.payload) {
                Ok(event) => short(&event, record, &self.trail),
                Err(_) => "no event".to_owned(),
            };
            self.trail.note(format!("{what}@{}/{offset}", partition.number));
        }
        Ok(heard)
    }

    fn store(&mut self, partition: &Partition, next: i64) -> Result<(), LogError> {
        self.inner.store(partition, next)
    }

    fn pause(&mut self, partition: &Partition) -> Result<(), LogError> {
        self.inner.pause(partition)
    }

    fn resume(&mut self, partition: &Partition) -> Result<(), LogError> {
        self.inner.resume(partition)
    }

    fn assigned(&self) -> Vec<Partition> {
        self.inner.assigned()
    }

    async fn lag(&mut self) -> Result<Option<Vec<(Partition, i64)>>, LogError> {
        self.inner.lag().await
    }

    async fn close(self: Box<Self>) -> Result<(), LogError> {
        self.inner.close().await
    }
}
