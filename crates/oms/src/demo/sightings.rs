//! What the demo sees on the topic, as any observer could.

use std::{collections::HashSet, time::Duration};

use anyhow::Context;
use oms_messaging::{Event, Log, Subscription};
use uuid::Uuid;

const PATIENCE: Duration = Duration::from_secs(15);

/// An observer with a consumer group of its own.
pub(crate) struct Sightings {
    subscription: Box<dyn Subscription>,
    seen: Vec<Event>,
    ids: HashSet<Uuid>,
}

impl Sightings {
    /// Begins to observe the topic from its start.
    pub(crate) async fn start(log: &dyn Log, topic: &str) -> anyhow::Result<Self> {
        let subscription = log.subscribe("oms-demo", &[topic]).await?;
        Ok(Self { subscription, seen: Vec::new(), ids: HashSet::new() })
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

    /// Leaves the group.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        Ok(self.subscription.close().await?)
    }

    async fn look(&mut self) -> anyhow::Result<()> {
        for delivery in self.subscription.poll(500, Duration::from_millis(200)).await? {
            let event = Event::parse(&delivery.record.payload).context("not an event")?;
            if self.ids.insert(event.id) {
                self.seen.push(event);
            }
        }
        Ok(())
    }
}
