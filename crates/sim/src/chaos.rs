//! The scheduler: what happens next, by the seed.

use chrono::TimeDelta;
use oms_events::{Service, TOPIC};
use oms_messaging::{Log, Record};

use crate::{
    amending,
    dice::Dice,
    plan::{ASK_AFTER, FAULTS, Fault, RUN_DEADLINE},
    processor::Line,
    trap::{Arms, Place},
    world::{SERVICES, World},
};

/// What a turn is spent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// A worker steps.
    Work,
    /// A customer calls.
    Call,
    /// Time passes.
    Pass,
    /// Goods come in.
    Delivery,
    /// All work for a while, and nothing goes wrong.
    Lull,
    /// Something goes wrong.
    Fault,
}

const TURNS: [(Turn, u64); 6] = [
    (Turn::Work, 70),
    (Turn::Call, 16),
    (Turn::Pass, 2),
    (Turn::Delivery, 0),
    (Turn::Lull, 0),
    (Turn::Fault, 12),
];

/// Which worker steps next, by weight; those of the crews first.
const HANDS: [(&str, u64); 9] = [
    ("relay", 30),
    ("consumer", 35),
    ("worker", 20),
    ("asker", 5),
    ("deadlines", 4),
    ("expiry", 4),
    ("retention", 1),
    ("forgetting", 1),
    ("", 0),
];

/// Workers that are tried before a turn passes without work.
const TRIES: usize = 4;

/// How likely each class is to be drawn when something goes wrong.
const WEIGHTS: [u64; FAULTS.len()] = [10, 3, 0, 10, 8, 3, 14, 6, 14, 10, 5, 24, 0];

impl World<'_> {
    /// Plays the seed's chaos.
    ///
    /// # Errors
    /// When a database fails.
    pub(crate) async fn play(&mut self) -> anyhow::Result<()> {
        for step in 0..self.plan.steps {
            // Each step has dice of its own, so that leaving a class out moves no other step.
            let mut dice = Dice::new(self.plan.seed, 1_000 + step);
            // The adapter commits offsets in the background, at a moment of its own.
            self.commits_offsets = dice.chance(50);
            self.pass(TimeDelta::milliseconds(i64::try_from(dice.between(1, 20))?));
            let turns = if self.plan.amends { amending::TURNS } else { TURNS };
            match dice.weighted(&turns, Turn::Work) {
                Turn::Work => self.some_work(&mut dice).await,
                Turn::Call => self.some_call(&mut dice).await?,
                Turn::Pass => self.pass(TimeDelta::milliseconds(i64::try_from(dice.below(8_000))?)),
                Turn::Delivery => self.some_delivery(&mut dice).await?,
                Turn::Lull => self.some_lull(&mut dice).await,
                Turn::Fault => self.some_fault(&mut dice).await?,
            }
            if step % self.plan.check_every == 0 {
                self.check_in_motion().await?;
            }
            if !self.broken.is_empty() {
                break;
            }
        }
        Ok(())
    }

    /// What is to happen to a step.
    pub(crate) fn arms(&self, dice: &mut Dice, hand: &str) -> Arms {
        let (crash, nth) = (dice.chance(8), dice.between(1, 3));
        let (hold, place) = (dice.chance(35), dice.chance(50));
        // With several calls at a time another one may be in the middle of a statement.
        let alone = hand != "worker" || self.plan.gateway_calls_max == 1;
        let crash_at = match u32::try_from(nth) {
            Ok(nth) if crash && alone && self.plan.allows(Fault::Crash) => nth,
            _ => 0,
        };
        let place = match (hand, place) {
            ("relay", true) => Some(Place::BeforePublish),
            ("relay", false) => Some(Place::AfterPublish),
            ("worker", true) => Some(Place::BeforeCall),
            ("worker", false) => Some(Place::AfterCall),
            _ => None,
        };
        let hold = hold && alone && self.plan.allows(Fault::Hold);
        Arms { crash_at, hold_at: place.filter(|_| hold) }
    }

    /// A worker's step; another one's where that had nothing to do, for idle turns find nothing.
    async fn some_work(&mut self, dice: &mut Dice) {
        for _ in 0..TRIES {
            let wanted = dice.weighted(&HANDS, "consumer");
            let able: Vec<(usize, usize)> = self
                .instances
                .iter()
                .enumerate()
                .flat_map(|(at, (_, instance))| {
                    let slots = instance.slots.iter().enumerate();
                    slots.filter(|(_, (name, _))| *name == wanted).map(move |(slot, _)| (at, slot))
                })
                .collect();
            let Some((at, slot)) = able.get(dice.index(able.len())).copied() else { return };
            let arms = self.arms(dice, wanted);
            let busy = self.work(at, slot, arms).await.is_none_or(|did| did.busy);
            if busy && wanted == "relay" {
                self.perhaps_lose_what_was_said(dice);
            }
            if busy && wanted == "consumer" {
                self.perhaps_lose_what_was_read(dice);
            }
            if busy {
                return;
            }
        }
    }

    /// What has just been published may be lost before anybody reads it: a moment that chance
    /// alone hardly ever meets.
    fn perhaps_lose_what_was_said(&mut self, dice: &mut Dice) {
        if self.plan.allows(Fault::LoseTail) && dice.chance(12) {
            let few = dice.between(1, 3);
            self.lose_tail(few);
        }
    }

    pub(crate) fn lose_tail(&mut self, few: u64) {
        self.lossy = true;
        self.trail.count(|counts| counts.lost_tails += 1);
        self.log.lose_tail(usize::try_from(few).unwrap_or(1));
        self.line(&format!("the log loses its last {few}"));
    }

    async fn some_call(&mut self, dice: &mut Dice) -> anyhow::Result<()> {
        let customer = dice.index(self.customers.len());
        let seen = match &self.customers[customer].order {
            Some(order) => self.stores.status_of(order).await?,
            None => None,
        };
        let call = self.customers[customer].next_call(seen, dice);
        let instances = self.of(Service::Order);
        let Some(at) = instances.get(dice.index(instances.len())).copied() else { return Ok(()) };
        let arms = self.arms(dice, "command");
        self.call(customer, &call, at, arms).await;
        Ok(())
    }

    async fn some_fault(&mut self, dice: &mut Dice) -> anyhow::Result<()> {
        let weights = if self.plan.amends { amending::WEIGHTS } else { WEIGHTS };
        let classes: Vec<(Fault, u64)> = FAULTS.into_iter().zip(weights).collect();
        let fault = dice.weighted(&classes, Fault::Crash);
        let service = dice.pick(&SERVICES, Service::Order);
        if !self.plan.allows(fault) {
            return Ok(());
        }
        match fault {
            Fault::Crash => {
                let at = dice.index(self.instances.len());
                self.restart(at);
                self.line(&format!("{} dies between two steps", self.instances[at].0.name()));
            }
            Fault::PowerCut => {
                (0..self.instances.len()).for_each(|at| self.restart(at));
                self.line("power cut");
            }
            Fault::Inbox => {
                self.forget_inbox(service).await?;
                self.perhaps_read_again(dice, service);
            }
            Fault::Leap => {
                let leaps = [ASK_AFTER, RUN_DEADLINE, TimeDelta::seconds(5)];
                let leap = dice.pick(&leaps, ASK_AFTER) + TimeDelta::milliseconds(1);
                self.pass(leap);
                self.line(&format!("{} s pass", leap.num_seconds()));
            }
            Fault::Gateway => {
                let line = dice.pick(&[Line::Deaf, Line::Mute, Line::Refused], Line::Mute);
                self.processor.next_call(line);
                self.line(&format!("the line to the gateway is {line:?}"));
            }
            Fault::Poison => {
                let arms = self.arms(dice, "operator");
                self.trouble_with_events(dice, arms).await;
            }
            _ => self.trouble_the_log(fault, dice, service),
        }
        Ok(())
    }

    fn trouble_the_log(&mut self, fault: Fault, dice: &mut Dice, service: Service) {
        let group = format!("oms-{}", service.name());
        let few = dice.between(1, 5);
        match fault {
            Fault::Redeliver => {
                self.trail.count(|counts| counts.redeliveries += 1);
                if dice.chance(30) {
                    self.log.redeliver(&group, 0);
                    self.line(&format!("{group} reads everything again"));
                } else {
                    self.log.rewind(&group, i64::try_from(few).unwrap_or(1));
                    self.line(&format!("{group} reads the last {few} of each partition again"));
                }
            }
            Fault::LoseTail => self.lose_tail(few),
            Fault::LoseLog => {
                self.lossy = true;
                self.trail.count(|counts| counts.lost_logs += 1);
                self.log.lose_all();
                self.line("the log loses everything");
            }
            Fault::Publish if dice.chance(50) => {
                self.log.fail_publishes(few);
                self.line(&format!("the next {few} publications fail"));
            }
            Fault::Publish => {
                self.log.swallow_acks(few);
                self.line(&format!("the reports of the next {few} publications are lost"));
            }
            Fault::Down if dice.chance(40) => {
                self.log.down();
                self.line("the broker is away");
            }
            Fault::Down => {
                self.log.up();
                self.line("the broker is there");
            }
            _ => {}
        }
    }

    /// Puts something onto the topic that a service must park, about a stream of its own.
    pub(crate) async fn poison(&mut self, dice: &mut Dice) {
        let stream = format!("poison-{}", self.poisoned.len() + 1);
        let id = self.seams().ids.next();
        let event = |kind: &str, source: &str, data: &str| {
            format!(
                "{{\"type\":\"{kind}\",\"id\":\"{id}\",\"source\":\"/oms/{source}\",\
                 \"subject\":\"{stream}\",\"time\":\"2026-01-01T00:00:00Z\",\
                 \"specversion\":\"1.0\",\"datacontenttype\":\"application/json\",\
                 \"sequence\":\"0000000001\",\"data\":{data}}}"
            )
        };
        let payload = match dice.below(3) {
            0 => "{no event".to_owned(),
            1 => event("oms.order.submitted.v1", "order", "{\"revision\":\"none\"}"),
            _ => event("oms.inventory.released.v1", "inventory", "{}"),
        };
        let record = Record {
            topic: TOPIC.to_owned(),
            key: Some(stream.clone().into_bytes()),
            payload: payload.into_bytes(),
            headers: Vec::new(),
        };
        let _reports = self.log.publish(vec![record]).await;
        self.line(&format!("poison on the topic: {stream}"));
        self.poisoned.push(stream);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_can_be_drawn_but_those_that_are_no_moment() {
        for weights in [WEIGHTS, amending::WEIGHTS] {
            for (fault, weight) in FAULTS.into_iter().zip(weights) {
                let lasting = [Fault::Hold, Fault::Twins].contains(&fault);
                assert_eq!(weight == 0, lasting, "{fault:?}");
            }
        }
    }
}
