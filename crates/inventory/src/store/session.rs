//! One transaction over some orders and the stock they concern.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use oms_messaging::{Announcement, Event, Failure, Outcome, Standing, Tx};

use super::{
    reservations::{self, Loaded, Origin},
    stock,
};
use crate::{
    announce,
    domain::{Change, Refused, Reservation, Shelf, Status},
};

/// What the operator decides about holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How long an uncommitted hold waits before inventory asks about it.
    pub hold_for: TimeDelta,
}

/// Reservations and stock as loaded, changed in memory in the order of events, written once.
#[derive(Debug)]
pub struct Session {
    now: DateTime<Utc>,
    policy: Policy,
    reservations: BTreeMap<String, Loaded>,
    shelf: Shelf,
    outgoing: Vec<Announcement>,
}

impl Session {
    /// Loads the reservations of these orders, whose streams are locked, and the stock of their
    /// holds and of `skus`, locked in SKU order.
    ///
    /// # Errors
    /// Any failure of the store.
    pub async fn load(
        tx: &Tx,
        policy: Policy,
        orders: BTreeSet<String>,
        mut skus: BTreeSet<String>,
    ) -> Result<Self, Failure> {
        let reservations = reservations::load(tx.conn(), &orders).await?;
        for loaded in reservations.values() {
            skus.extend(loaded.now.snapshot().lines.iter().map(|(sku, _)| sku.to_owned()));
        }
        let shelf = stock::lock(tx.conn(), skus).await?;
        Ok(Self { now: tx.now(), policy, reservations, shelf, outgoing: Vec::new() })
    }

    /// The transaction's one instant.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// When a hold taken now expires.
    #[must_use]
    pub fn hold_until(&self) -> DateTime<Utc> {
        self.now + self.policy.hold_for
    }

    /// Decides about one order and remembers what is to be said. `cause` is the event that made
    /// us decide, absent when time did.
    ///
    /// # Errors
    /// Poison for what the domain refuses.
    pub fn decide(
        &mut self,
        order_id: &str,
        cause: Option<&Event>,
        verb: impl FnOnce(&mut Reservation, &mut Shelf) -> Result<Change, Refused>,
    ) -> Result<Outcome, Failure> {
        let loaded = self
            .reservations
            .get_mut(order_id)
            .ok_or_else(|| Failure::Unclassified(format!("order {order_id} is not loaded")))?;
        let change = verb(&mut loaded.now, &mut self.shelf)
            .map_err(|refused| Failure::poison(refused.code(), refused.to_string()))?;
        let Change::Moved(fact) = change else { return Ok(Outcome::Already) };
        if loaded.before.status().is_none()
            && let Some(event) = cause
        {
            loaded.origin = Origin { saga: event.sagaid, traceparent: event.traceparent.clone() };
        }
        if let Some(fact) = fact {
            let mut said = announce::fact(order_id, &fact)?.in_saga(loaded.origin.saga);
            match cause {
                Some(event) => {
                    said = said.caused_by(event);
                    said.saga = event.sagaid.or(said.saga);
                }
                None => said.traceparent = said.traceparent.or(loaded.origin.traceparent.clone()),
            }
            self.outgoing.push(said);
        }
        Ok(Outcome::Moved)
    }

    /// Writes what changed, says what is to be said, and tells messaging where each order stands.
    ///
    /// # Errors
    /// Transient when a guarded stock update finds too little, else any failure of the store.
    pub async fn save(self, tx: &mut Tx) -> Result<(), Failure> {
        let now = self.now.timestamp_micros();
        stock::save(tx.conn(), &self.shelf, now).await?;
        reservations::save(tx.conn(), &self.reservations, now).await?;
        for said in self.outgoing {
            tx.announce(said)?;
        }
        for (order_id, loaded) in &self.reservations {
            tx.set_standing(order_id, standing(&loaded.now))?;
        }
        Ok(())
    }
}

/// Inventory waits for a word about a hold that is not committed, or an amendment that is not
/// settled (rule 10).
fn standing(reservation: &Reservation) -> Standing {
    match reservation.status() {
        _ if reservation.waits() => Standing::Waiting,
        None | Some(Status::Held | Status::Committed | Status::Rejected) => Standing::Resting,
        Some(Status::Shipped | Status::Released | Status::Fenced) => Standing::Ended,
    }
}
