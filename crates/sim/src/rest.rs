//! The end of a simulation: faults end, everything comes to rest, and everything is checked.

use chrono::TimeDelta;
use oms_testkit::invariants::{self, Evidence, Topic};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};

use crate::{
    dice::Dice,
    plan::Fault,
    trap::Arms,
    world::{SERVICES, World},
};

/// A healthy system that is not at rest after so much time waits for ever (I3).
const PATIENCE: TimeDelta = TimeDelta::minutes(10);
/// How long nobody does anything before the clock is put forward once more.
const PAUSE: TimeDelta = TimeDelta::seconds(5);
/// Longer than a failed step waits before it is tried again (`retry_delay_ms_max`), and shorter
/// than the silence after which a waiter asks: an order that was given up asks for ever.
const RETRY_WAIT: TimeDelta = TimeDelta::seconds(6);
/// Workers that wait for nobody and nobody waits for.
const IDLE_FOR_DAYS: [&str; 2] = ["retention", "forgetting"];
/// Steps of one worker in one round at most.
const STEPS_MAX: usize = 200;

impl World<'_> {
    /// Ends all faults, lets everything come to rest, and checks it.
    ///
    /// # Errors
    /// When a database fails.
    pub(crate) async fn finish(&mut self) -> anyhow::Result<()> {
        self.log.up();
        self.log.fail_publishes(0);
        self.log.swallow_acks(0);
        self.processor.next_call(crate::processor::Line::Fine);
        self.line("all faults end");
        self.come_to_rest().await?;
        self.check().await?;
        let mut dice = Dice::new(self.plan.seed, 2);
        if self.broken.is_empty() && self.plan.allows(Fault::Redeliver) && dice.chance(30) {
            self.replay(&mut dice).await?;
        }
        Ok(())
    }

    /// The whole topic once more, much later, perhaps with empty inboxes.
    async fn replay(&mut self, dice: &mut Dice) -> anyhow::Result<()> {
        self.pass(TimeDelta::hours(1));
        for service in SERVICES {
            if self.plan.allows(Fault::Inbox) && dice.chance(70) {
                self.forget_inbox(service).await?;
            }
            self.log.redeliver(&format!("oms-{}", service.name()), 0);
            self.trail.count(|counts| counts.redeliveries += 1);
        }
        self.line("the whole topic is read again");
        self.come_to_rest().await?;
        self.check().await
    }

    async fn come_to_rest(&mut self) -> anyhow::Result<()> {
        let began = self.clock.elapsed();
        let (mut pause, mut quiet) = (PAUSE, false);
        loop {
            let (busy, stuck) = self.round().await;
            let busy = busy | self.empty_parking().await?;
            if !self.broken.is_empty() {
                return Ok(());
            }
            if busy {
                (pause, quiet) = (PAUSE, false);
                continue;
            }
            let open = self.open_business().await?;
            if open.is_empty() && !stuck {
                if quiet {
                    self.line("at rest");
                    return Ok(());
                }
                // Whoever failed just now tries again only later, and may have something to read.
                quiet = true;
                self.pass(RETRY_WAIT);
                continue;
            }
            if self.clock.elapsed() - began > PATIENCE {
                let open = open.into_iter().map(|what| format!("I3 waits for ever: {what}"));
                self.broken.extend(open);
                self.broken.extend(stuck.then(|| "I3 a worker is stuck for ever".to_owned()));
                return Ok(());
            }
            self.pass(pause);
            pause = (pause * 2).min(TimeDelta::seconds(30));
        }
    }

    /// Every worker until it has nothing to do. Whether any had, and whether any could not do what
    /// it has to.
    pub(crate) async fn round(&mut self) -> (bool, bool) {
        let (mut busy, mut stuck) = (false, false);
        for at in 0..self.instances.len() {
            let of_one = self.turn_of(at).await;
            (busy, stuck) = (busy | of_one.0, stuck | of_one.1);
        }
        (busy, stuck)
    }

    /// The same for every worker of one instance.
    pub(crate) async fn turn_of(&mut self, at: usize) -> (bool, bool) {
        let (mut busy, mut stuck) = (false, false);
        for slot in 0..self.instances[at].1.slots.len() {
            if IDLE_FOR_DAYS.contains(&self.instances[at].1.slots[slot].0) {
                continue;
            }
            for _ in 0..STEPS_MAX {
                self.pass(TimeDelta::milliseconds(1));
                let did = self.work(at, slot, Arms::default()).await;
                stuck |= did.as_ref().is_none_or(|did| did.stuck);
                if !did.is_some_and(|did| did.busy) {
                    break;
                }
                busy = true;
            }
        }
        (busy, stuck)
    }

    async fn check(&mut self) -> anyhow::Result<()> {
        let said: Topic = self.trail.all_said();
        let evidence = Evidence {
            said: Some(&said),
            heard: (!self.lossy).then_some(&said),
            poisoned: &self.poisoned,
        };
        let databases = self.stores.seen();
        let broken = invariants::broken(&databases, evidence).await?;
        let mut broken = self.less_given_up(broken).await?;
        broken.retain(|line| !self.was_spoilt(line));
        broken.extend(self.applied_twice().await?);
        broken.extend(self.promises.broken(&databases, &self.customers).await?);
        for line in &broken {
            self.line(line);
        }
        self.broken.extend(broken);
        Ok(())
    }

    /// Where every order stands, in every service: the end state of a simulation.
    ///
    /// # Errors
    /// When a database cannot be read.
    pub(crate) async fn end_state(&self) -> anyhow::Result<Vec<String>> {
        let mut all = rows(
            &self.stores.order.read,
            "SELECT 'order ' || status || ' ' || captured_minor || ' ' || refunded_minor \
             || ' ' || version AS state FROM orders",
        )
        .await?;
        let holds = "SELECT 'hold ' || status AS state FROM reservations";
        all.extend(rows(&self.stores.inventory.read, holds).await?);
        let payments = "SELECT 'payment ' || captured || ' ' || refunded || ' ' || closed \
                        AS state FROM payments";
        all.extend(rows(&self.stores.payment.read, payments).await?);
        all.sort_unstable();
        Ok(all)
    }
}

async fn rows(database: &DatabaseConnection, sql: &str) -> anyhow::Result<Vec<String>> {
    let statement = Statement::from_string(database.get_database_backend(), sql);
    let found = database.query_all_raw(statement).await?;
    Ok(found.iter().map(|row| row.try_get("", "state")).collect::<Result<_, _>>()?)
}
