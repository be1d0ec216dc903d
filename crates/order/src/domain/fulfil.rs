//! The good way on from CONFIRMED: the goods leave, and the order is closed.

use super::{
    Cause, Fact, Order, Refusal, Run, Status,
    table::{self, CompleteVerdict, ShipVerdict},
};

/// What [`Order::ship`] or [`Order::complete`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fulfilling {
    /// The order is there now.
    Done,
    /// It was there before. Nothing was changed.
    Already,
}

impl Order {
    /// Ships: the goods of the lines in force leave. A refund run for a part goes on meanwhile.
    ///
    /// # Errors
    /// [`Refusal::Busy`] while an amend run is open, or a refund run for all that is left: goods do
    /// not leave while it is open which, or while their whole price may be on its way back.
    /// [`Refusal::NotShippable`] when the order is neither CONFIRMED nor SHIPPED.
    pub fn ship(&mut self, cause: &Cause) -> Result<Fulfilling, Refusal> {
        match table::ship(self.status(), self.run_kind(), self.run_takes_all()) {
            ShipVerdict::Ship => {}
            ShipVerdict::Already => return Ok(Fulfilling::Already),
            ShipVerdict::Busy => return Err(Refusal::Busy),
            ShipVerdict::Refused => return Err(Refusal::NotShippable(self.status())),
        }
        self.become_status(Status::Shipped, cause);
        self.say(Fact::Shipped {
            saga_id: self.state.saga_id,
            revision: self.state.settled_revision,
            lines: self.state.lines.clone(),
        });
        Ok(Fulfilling::Done)
    }

    /// Closes the order once its goods were delivered. An open refund run goes on.
    ///
    /// # Errors
    /// [`Refusal::NotCompletable`] when the order is neither SHIPPED nor COMPLETED.
    pub fn complete(&mut self, cause: &Cause) -> Result<Fulfilling, Refusal> {
        match table::complete(self.status()) {
            CompleteVerdict::Complete => {}
            CompleteVerdict::Already => return Ok(Fulfilling::Already),
            CompleteVerdict::Refused => return Err(Refusal::NotCompletable(self.status())),
        }
        self.become_status(Status::Completed, cause);
        self.say(Fact::Completed { saga_id: self.state.saga_id });
        Ok(Fulfilling::Done)
    }

    /// Whether the open run gives back all that is left.
    fn run_takes_all(&self) -> bool {
        let Some(Run::Refund { refund_id, .. }) = self.run() else { return false };
        let left = self.left().minor();
        self.refund(&refund_id.to_string()).is_some_and(|refund| refund.amount.minor() >= left)
    }
}
