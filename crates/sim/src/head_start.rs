//! A head start: orders that are paid before anything goes wrong, so that much is played of what
//! comes after that.

use anyhow::ensure;
use oms_events::Service;

use crate::{dice::Dice, trap::Arms, world::World};

/// Rounds until all of them are at rest, at most.
const ROUNDS_MAX: usize = 100;

impl World<'_> {
    /// Creates and pays the orders of the first customers, and lets everybody work until nobody has
    /// anything to do. Nothing goes wrong meanwhile but what their cards do.
    ///
    /// # Errors
    /// When it does not come to rest.
    pub(crate) async fn head_start(&mut self) -> anyhow::Result<()> {
        let mut dice = Dice::new(self.plan.seed, 3);
        let Some(at) = self.of(Service::Order).first().copied() else { return Ok(()) };
        for customer in 0..self.plan.early.min(self.customers.len()) {
            let create = self.customers[customer].creates();
            self.call(customer, &create, at, Arms::default()).await;
            let pay = self.customers[customer].pays(&mut dice);
            self.call(customer, &pay, at, Arms::default()).await;
        }
        let mut rounds = 0;
        while self.plan.early > 0 && self.round().await.0 {
            rounds += 1;
            ensure!(rounds < ROUNDS_MAX, "a head start does not come to rest");
        }
        Ok(())
    }
}
