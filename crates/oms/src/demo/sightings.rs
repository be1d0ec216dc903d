//! What the demo sees on the topic, as any observer could.

use std::{collections::HashSet, time::Duration};

use anyhow::Context;
use oms_messaging::{Event, kafka::Observer};
use uuid::Uuid;

const PATIENCE: Duration = Duration::from_secs(15);

/// An observer, and what it has seen.
pub(crate) struct Sightings {
    observer: Observer,
    seen: Vec<Event>,
    ids: HashSet<Uuid>,
}

impl Sightings {
    /// What an observer sees from now on, which began with what comes next.
    pub(crate) fn by(observer: Observer) -> Self {
        Self { observer, seen: Vec::new(), ids: HashSet::new() }
    }

    /// The distinct events of one order in topic order, waiting for `at_least` of them.
    pub(crate) async fn of(&mut self, order: &str, at_least: usize) -> anyhow::Result<Vec<Event>> {
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            let events: Vec<Event> =
                self.seen.iter().filter(|event| event.subject == order).cloned().collect();
            if events.len() >= at_least || tokio::time::Instant::now() > until {
                return Ok(events);
            }
            self.look().await?;
        }
    }

    async fn look(&mut self) -> anyhow::Result<()> {
        for delivery in self.observer.poll(500, Duration::from_millis(200)).await? {
            let event = Event::parse(&delivery.record.payload).context("not an event")?;
            if self.ids.insert(event.id) {
                self.seen.push(event);
            }
        }
        Ok(())
    }
}
