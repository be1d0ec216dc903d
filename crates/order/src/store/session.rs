//! The orders of one transaction: loaded together, changed in memory, saved together.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use oms_messaging::{Announcement, Event, Failure, Standing, Tx};
use uuid::Uuid;

use super::{entities::timeline, load, save};
use crate::{
    announce::announcement,
    domain::{Amendment, Milestone, Order, OrderState, RefundState, Run, RunKind},
};

/// The orders a transaction concerns. Their streams must be locked before they are loaded, so that
/// everything seen here stays true until the commit (saga rule 1).
#[derive(Debug)]
pub struct Session {
    now: DateTime<Utc>,
    orders: BTreeMap<String, Held>,
    outgoing: Vec<Announcement>,
    repeats: BTreeSet<String>,
    noted: BTreeSet<Uuid>,
}

/// An order with what the database knows of it.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) order: Order,
    /// As it was loaded; none for a new order.
    pub(super) before: Option<(OrderState, i64)>,
    /// Its new timeline entries, once they are written.
    pub(super) entries: Vec<timeline::Model>,
}

impl Held {
    fn new(order: Order, before: Option<(OrderState, i64)>) -> Self {
        Self { order, before, entries: Vec::new() }
    }

    /// The version that its row gets when it is written.
    pub(super) fn next_row_version(&self) -> i64 {
        self.before.as_ref().map_or(0, |(_, version)| version + 1)
    }

    pub(super) fn is_changed(&self) -> bool {
        self.before.as_ref().is_none_or(|(state, _)| state != self.order.state())
    }

    fn ended_refunds(&self) -> Vec<String> {
        let was_open = |id: &str| {
            self.before.as_ref().is_some_and(|(state, _)| {
                state.refunds.iter().any(|r| r.id == id && r.state == RefundState::Open)
            })
        };
        let ended = self.order.refunds().iter().filter(|r| r.state != RefundState::Open);
        ended.filter(|r| was_open(&r.id)).map(|r| r.id.clone()).collect()
    }

    fn ended_pay_run(&self) -> Option<Uuid> {
        let (before, _) = self.before.as_ref()?;
        let Some(Run::Pay { saga_id, .. }) = &before.run else { return None };
        (self.order.run_kind() != RunKind::Pay).then_some(*saga_id)
    }
}

/// An order that a transaction changed, after it was saved.
#[derive(Debug)]
pub struct Changed {
    /// The order as it is now.
    pub order: Order,
    /// The version of its row.
    pub row_version: i64,
    /// What its timeline says of the change, oldest first.
    pub entries: Vec<timeline::Model>,
    /// What to count once the transaction is committed.
    pub milestones: Vec<Milestone>,
    /// Refunds asked for whose outcome this transaction learned.
    pub ended_refunds: Vec<String>,
    /// The pay run that this transaction ended.
    pub ended_pay_run: Option<Uuid>,
    /// Amendments that this transaction ended.
    pub ended_amendments: Vec<Amendment>,
}

impl Session {
    /// Loads the orders of `ids` that exist; `tx` holds their streams.
    ///
    /// # Errors
    /// Any failure of the store.
    pub async fn load(tx: &Tx, ids: &[String]) -> Result<Self, Failure> {
        let loaded = load::load_versioned(tx.conn(), ids).await?;
        let held = |(id, (order, row_version)): (String, (Order, i64))| {
            let before = Some((order.state().clone(), row_version));
            (id, Held::new(order, before))
        };
        Ok(Self {
            now: tx.now(),
            orders: loaded.into_iter().map(held).collect(),
            outgoing: Vec::new(),
            repeats: BTreeSet::new(),
            noted: BTreeSet::new(),
        })
    }

    /// Learns which of these events, all about orders of the session, stand on a timeline already:
    /// for those that change nothing else by which they could be known again.
    ///
    /// # Errors
    /// Any failure of the store.
    pub async fn learn_noted(&mut self, tx: &Tx, events: &[&Event]) -> Result<(), Failure> {
        self.noted = load::noted(tx.conn(), events).await?;
        Ok(())
    }

    /// Whether this event stands on a timeline already; it does from now on.
    pub fn was_noted(&mut self, event: Uuid) -> bool {
        !self.noted.insert(event)
    }

    /// The transaction's instant.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// An order of the transaction.
    #[must_use]
    pub fn order(&self, id: &str) -> Option<&Order> {
        self.orders.get(id).map(|held| &held.order)
    }

    /// An order of the transaction, to be changed.
    pub fn order_mut(&mut self, id: &str) -> Option<&mut Order> {
        self.orders.get_mut(id).map(|held| &mut held.order)
    }

    /// Every order of the transaction, to be changed.
    pub fn orders_mut(&mut self) -> impl Iterator<Item = &mut Order> {
        self.orders.values_mut().map(|held| &mut held.order)
    }

    /// Adds a new order; its stream is held.
    pub fn insert(&mut self, order: Order) {
        self.orders.insert(order.id().to_string(), Held::new(order, None));
    }

    /// Turns an order's new facts into announcements now, in the present trace, caused by `event`.
    /// Facts not collected so are announced by [`Session::save`].
    ///
    /// # Errors
    /// [`Failure::Unclassified`] when an event cannot be written.
    pub fn collect(&mut self, id: &str, event: &Event) -> Result<(), Failure> {
        let Some(held) = self.orders.get_mut(id) else { return Ok(()) };
        for fact in held.order.take_facts() {
            self.outgoing.push(announcement(&held.order, fact)?.caused_by(event));
        }
        Ok(())
    }

    /// Says everything about an order again when the session is saved (saga rule 10).
    pub fn repeat(&mut self, id: &str) {
        self.repeats.insert(id.to_owned());
    }

    /// Writes what changed with one statement per table, says what is to be said, and tells where
    /// the streams stand. Returns the changed orders.
    ///
    /// # Errors
    /// [`Failure::Transient`] when a row was changed by somebody who did not hold its stream, and
    /// any failure of the store.
    pub async fn save(mut self, tx: &mut Tx) -> Result<Vec<Changed>, Failure> {
        for held in self.orders.values_mut() {
            for fact in held.order.take_facts() {
                self.outgoing.push(announcement(&held.order, fact)?);
            }
        }
        let mut changed: Vec<Held> = self.orders.into_values().filter(Held::is_changed).collect();
        save::write(tx.conn(), &mut changed).await?;
        for said in self.outgoing {
            tx.announce(said)?;
        }
        for held in &changed {
            tx.set_standing(&held.order.id().to_string(), standing(&held.order))?;
        }
        for stream in self.repeats {
            tx.resend(&stream, false).await?;
        }
        let done = |mut held: Held| Changed {
            milestones: held.order.take_milestones(),
            ended_refunds: held.ended_refunds(),
            ended_pay_run: held.ended_pay_run(),
            ended_amendments: held.order.take_amendments(),
            row_version: held.next_row_version(),
            entries: held.entries,
            order: held.order,
        };
        Ok(changed.into_iter().map(done).collect())
    }
}

/// Where an order's stream stands in this service (saga rule 10).
fn standing(order: &Order) -> Standing {
    if order.is_waiting() {
        Standing::Waiting
    } else if order.has_ended() {
        Standing::Ended
    } else {
        Standing::Resting
    }
}
