//! Worlds in which customers change their orders: every third one. What else differs there makes
//! amendments many, refuses some of them, and troubles the words about their ends.

use futures::FutureExt;
use oms_events::Service;
use oms_inventory::commands::ReceiveStock;
use sea_orm::{ConnectionTrait, Statement};

use crate::{
    chaos::Turn,
    dice::Dice,
    plan::{FAULTS, Fault, Limits, Plan},
    trap::Ended,
    world::World,
};

/// One of so many worlds.
const ONE_OF: u64 = 3;

/// What a turn is spent on.
pub(crate) const TURNS: [(Turn, u64); 6] = [
    (Turn::Work, 55),
    (Turn::Call, 18),
    (Turn::Pass, 1),
    (Turn::Delivery, 4),
    (Turn::Lull, 9),
    (Turn::Fault, 13),
];

/// How likely each class is: more is lost, forgotten and waited for than elsewhere.
pub(crate) const WEIGHTS: [u64; FAULTS.len()] = [10, 3, 0, 6, 14, 3, 8, 4, 14, 14, 20, 10, 0];

impl Plan {
    /// Makes it a plan of a world in which customers waver, where it is the seed's turn: few of
    /// them, paid and at rest before anything goes wrong, and shelves on which often not all is
    /// that they add. It has dice of its own, so that the other worlds are as they were.
    #[must_use]
    pub(crate) fn perhaps_amending(mut self, limits: &Limits) -> Self {
        if !self.seed.is_multiple_of(ONE_OF) {
            return self;
        }
        let mut dice = Dice::new(self.seed, 4);
        let orders = dice.weighted(&[(1, 5), (2, 4), (3, 1)], 1);
        let early = if dice.chance(85) { orders } else { 0 };
        let max = limits.orders.unwrap_or(orders);
        (self.orders, self.early) = (orders.min(max), early.min(max));
        let shelves = [(7, 4), (10, 4), (60, 2)];
        self.stock = (0..dice.between(2, 3)).map(|_| dice.weighted(&shelves, 60)).collect();
        self.amends = true;
        self
    }
}

impl World<'_> {
    /// Goods of which the least is there come in: what an amendment could not have may be there
    /// when it is looked for again.
    ///
    /// # Errors
    /// When inventory refuses it.
    pub(crate) async fn some_delivery(&mut self, dice: &mut Dice) -> anyhow::Result<()> {
        let instances = self.of(Service::Inventory);
        let Some(at) = instances.get(dice.index(instances.len())).copied() else { return Ok(()) };
        let read = &self.stores.inventory.read;
        let sql = "SELECT sku FROM stock ORDER BY available, sku LIMIT 1";
        let scarcest = Statement::from_string(read.get_database_backend(), sql);
        let Some(row) = read.query_one_raw(scarcest).await? else { return Ok(()) };
        let (sku, qty): (String, i64) = (row.try_get("", "sku")?, dice.between(1, 6).try_into()?);
        let (arms, title) = (self.arms(dice, "command"), self.title(at));
        let messaging = self.instances[at].1.messaging.clone();
        let text = format!("{title} receives {qty} {sku}");
        let goods = ReceiveStock { sku, qty, note: String::new() };
        let step = async move { goods.run(&messaging, None, |_| Vec::new()).await };
        match self.trap.clone().drive(step.boxed(), arms).await {
            Ended::Done(done) => {
                done?;
                self.line(&text);
            }
            Ended::Crashed(point, step) => {
                self.line(&format!("{text} and dies at {point}"));
                drop(step);
                self.restart(at);
            }
            Ended::Held(_) => self.line(&format!("{text}: held, which no command is")),
        }
        Ok(())
    }

    /// One instance after another works until it has nothing to do: an amendment ends, so that
    /// another can follow.
    pub(crate) async fn some_lull(&mut self, dice: &mut Dice) {
        for _ in 0..dice.between(4, 24) {
            let at = dice.index(self.instances.len());
            if self.turn_of(at).await.0 {
                self.perhaps_lose_what_was_read(dice);
            }
        }
    }

    /// What one listener has just read may be lost to the others.
    pub(crate) fn perhaps_lose_what_was_read(&mut self, dice: &mut Dice) {
        if self.plan.amends && self.plan.allows(Fault::LoseTail) && dice.chance(7) {
            let few = dice.between(1, 2);
            self.lose_tail(few);
        }
    }

    /// A service that has just forgotten what it applied may get to read it again.
    pub(crate) fn perhaps_read_again(&mut self, dice: &mut Dice, service: Service) {
        if self.plan.amends && dice.chance(80) {
            self.trail.count(|counts| counts.redeliveries += 1);
            self.log.redeliver(&format!("oms-{}", service.name()), 0);
            self.line(&format!("{} reads everything again", service.name()));
        }
    }

    /// Counts how the amendments ended.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub(crate) async fn count_amendments(&self) -> anyhow::Result<()> {
        let read = &self.stores.order.read;
        let sql = "SELECT outcome, COUNT(*) AS ended FROM amendments GROUP BY outcome";
        let statement = Statement::from_string(read.get_database_backend(), sql);
        for row in read.query_all_raw(statement).await? {
            let (outcome, ended): (String, i64) =
                (row.try_get("", "outcome")?, row.try_get("", "ended")?);
            let ended = u64::try_from(ended)?;
            self.trail.count(|counts| match outcome.as_str() {
                "accepted" => counts.amended += ended,
                "canceled" => counts.amendments_canceled += ended,
                _ => counts.amendments_refused += ended,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_third_world_amends_and_limits_hold_there_too() {
        let all = Limits::default();
        let amends = |seed: &u64| Plan::draw(*seed, &all).amends;
        assert_eq!((0..9).filter(amends).collect::<Vec<_>>(), [0, 3, 6]);
        let one = Limits { orders: Some(1), ..Limits::default() };
        for seed in (0..300).step_by(3) {
            let plan = Plan::draw(seed, &one);
            assert!(plan.orders == 1 && plan.early <= 1 && plan.stock.len() >= 2, "{plan:?}");
        }
    }
}
