//! The workers of the services, each as something that does one step when it is its turn.

use async_trait::async_trait;
use oms_inventory::expiry::Expiry;
use oms_messaging::{
    Asker, Consumer, ConsumerStatus, Crew, Failure, Reactor, Relay, Retention, crew::Hands,
};
use oms_order::{deadlines::Deadlines, forgetting::Forgetting};
use oms_payment::worker::Worker;
use tokio::sync::watch;

use crate::trail::Trail;

/// What a step did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Did {
    /// There was something to do, so that there may be more.
    pub busy: bool,
    /// Something could not be done now and is waited for.
    pub stuck: bool,
    /// Events that reached a reaction, and were committed.
    pub applied: u64,
    /// For people.
    pub text: String,
}

impl Did {
    /// So many of something were done.
    fn count(count: impl TryInto<u64>, what: &str) -> Self {
        let count = count.try_into().unwrap_or(u64::MAX);
        let text = if count > 0 { format!("{what} {count}") } else { String::new() };
        Self { busy: count > 0, stuck: false, applied: 0, text }
    }

    /// A step that is held: there is more of it, later.
    pub(crate) fn held() -> Self {
        Self { busy: true, stuck: true, applied: 0, text: String::new() }
    }

    fn failed(failure: &Failure) -> Self {
        Self { busy: false, stuck: true, applied: 0, text: format!("failed: {failure}") }
    }

    fn of<T>(result: Result<T, Failure>, what: &str) -> Self
    where
        T: TryInto<u64>,
    {
        result.map_or_else(|failure| Self::failed(&failure), |count| Self::count(count, what))
    }
}

/// A worker of a service.
#[async_trait]
pub(crate) trait Hand: Send {
    /// Its name.
    fn name(&self) -> &'static str;

    /// One step.
    async fn step(&mut self, trail: &Trail) -> Did;
}

/// The hands of a crew, in the order of their turn while everything comes to rest.
pub(crate) fn of_crew<R: Reactor>(crew: Crew<R>) -> Vec<Box<dyn Hand>> {
    let Hands { consumer, relay, asker, retention } = crew.into_hands();
    vec![Box::new(relay), Box::new(consumer), Box::new(asker), Box::new(retention)]
}

#[async_trait]
impl<R: Reactor> Hand for Consumer<R> {
    fn name(&self) -> &'static str {
        "consumer"
    }

    async fn step(&mut self, trail: &Trail) -> Did {
        let done = match Consumer::step(self).await {
            Ok(done) => done,
            Err(failure) => return Did::failed(&failure),
        };
        trail.count(|counts| {
            counts.duplicates += done.duplicates;
            counts.parked += done.parked;
        });
        if done.is_idle() {
            return Did { stuck: done.retrying > 0, ..Did::count(0_u64, "") };
        }
        let applied = done.moved + done.already;
        let mut text = format!("moved {}", done.moved);
        for (what, count) in [
            ("already", done.already),
            ("duplicates", done.duplicates),
            ("ignored", done.ignored),
            ("parked", done.parked),
            ("answered", done.answered),
            ("waiting partitions", done.retrying as u64),
        ] {
            if count > 0 {
                text.push_str(&format!(" {what} {count}"));
            }
        }
        Did { busy: true, stuck: done.retrying > 0, applied, text }
    }
}

#[async_trait]
impl Hand for Relay {
    fn name(&self) -> &'static str {
        "relay"
    }

    async fn step(&mut self, _: &Trail) -> Did {
        Did::of(Relay::step(self).await, "published")
    }
}

#[async_trait]
impl Hand for Asker {
    fn name(&self) -> &'static str {
        "asker"
    }

    async fn step(&mut self, _: &Trail) -> Did {
        Did::of(self.sweep().await, "asked about")
    }
}

#[async_trait]
impl Hand for Retention {
    fn name(&self) -> &'static str {
        "retention"
    }

    async fn step(&mut self, _: &Trail) -> Did {
        Did::of(Retention::step(self).await, "forgot")
    }
}

#[async_trait]
impl Hand for Worker {
    fn name(&self) -> &'static str {
        "worker"
    }

    async fn step(&mut self, _: &Trail) -> Did {
        Did::of(Worker::step(self).await, "calls")
    }
}

#[async_trait]
impl Hand for Forgetting {
    fn name(&self) -> &'static str {
        "forgetting"
    }

    async fn step(&mut self, _: &Trail) -> Did {
        Did::of(Forgetting::step(self).await, "forgot")
    }
}

/// A sweeper that begins once the consumer has reached the end of the log, as its loop does.
pub(crate) struct AfterLog<H> {
    hand: H,
    consumer: watch::Receiver<ConsumerStatus>,
}

impl<H> AfterLog<H> {
    /// A sweeper that waits for this consumer.
    pub(crate) fn new(hand: H, consumer: watch::Receiver<ConsumerStatus>) -> Self {
        Self { hand, consumer }
    }

    fn may_begin(&self) -> bool {
        self.consumer.borrow().caught_up
    }
}

#[async_trait]
impl Hand for AfterLog<Deadlines> {
    fn name(&self) -> &'static str {
        "deadlines"
    }

    async fn step(&mut self, _: &Trail) -> Did {
        if !self.may_begin() {
            return Did::count(0_u64, "");
        }
        Did::of(self.hand.step().await, "too late")
    }
}

#[async_trait]
impl Hand for AfterLog<Expiry> {
    fn name(&self) -> &'static str {
        "expiry"
    }

    async fn step(&mut self, _: &Trail) -> Did {
        if !self.may_begin() {
            return Did::count(0_u64, "");
        }
        Did::of(self.hand.step().await, "expired")
    }
}
