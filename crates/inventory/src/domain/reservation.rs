//! One order's reservation, and the table of what each fact does to it.
//!
//! Guards I1 (what is held or committed for an order covers its lines in force) together with
//! [`Shelf`]; `docs/saga.md` rules 3 and 5. Held by `tests/domain.rs`, which walks every status and
//! every fact.

use chrono::{DateTime, Utc};

use super::{Lines, Refused, RejectReason, Shelf, Shortage, Status, shelf::Pool};

/// What inventory has to say after a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// Every line of the revision is held.
    Reserved {
        /// The revision answered.
        revision: i32,
        /// When inventory asks about the hold.
        until: DateTime<Utc>,
    },
    /// Nothing more is held for the revision.
    Rejected {
        /// The revision answered.
        revision: i32,
        /// Why.
        reason: RejectReason,
        /// What is missing.
        shortages: Vec<Shortage>,
    },
    /// The whole hold is gone, or there was none.
    Released,
    /// The shipment is booked out.
    Dispatched,
    /// The hold has waited too long for its confirmation.
    Expired {
        /// The revision held.
        revision: i32,
    },
}

/// What a fact came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The state moved, and this is to be said.
    Moved(Option<Fact>),
    /// A duplicate, or a fact that came early or late.
    Already,
}

/// The stored state of a reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The order.
    pub order_id: String,
    /// Where it stands; `None` when inventory never heard of the order.
    pub status: Option<Status>,
    /// The highest revision answered; 0 before the first.
    pub answered: i32,
    /// The highest revision confirmed, or the one shipped; 0 before the first.
    pub settled: i32,
    /// What is held or committed now; once shipped, what has left.
    pub lines: Lines,
    /// Until when an uncommitted hold waits before inventory asks about it.
    pub expires_at: Option<DateTime<Utc>>,
    /// When inventory said that the hold expired.
    pub expired_at: Option<DateTime<Utc>>,
}

/// One order's reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation(Snapshot);

impl Reservation {
    /// The reservation of an order inventory never heard of.
    pub fn unheard(order_id: impl Into<String>) -> Self {
        Self(Snapshot {
            order_id: order_id.into(),
            status: None,
            answered: 0,
            settled: 0,
            lines: Lines::default(),
            expires_at: None,
            expired_at: None,
        })
    }

    /// A reservation as it was stored.
    #[must_use]
    pub fn restore(stored: Snapshot) -> Self {
        Self(stored)
    }

    /// What there is to store.
    #[must_use]
    pub fn snapshot(&self) -> &Snapshot {
        &self.0
    }

    /// Where it stands; `None` when inventory never heard of the order.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        self.0.status
    }

    /// The order is submitted: hold every line, or none. `until` is when a hold expires.
    ///
    /// # Errors
    /// Never for what an interleaving can produce.
    pub fn note_submitted(
        &mut self,
        revision: i32,
        lines: &Lines,
        until: DateTime<Utc>,
        shelf: &mut Shelf,
    ) -> Result<Change, Refused> {
        if revision <= 0 {
            return Err(Refused::Malformed(format!("revision {revision}")));
        }
        if revision <= self.0.answered {
            return Ok(Change::Already);
        }
        match self.0.status {
            None | Some(Status::Rejected) => {}
            Some(Status::Released | Status::Fenced) => {
                self.0.answered = revision;
                return Ok(reject(revision, RejectReason::Released, Vec::new()));
            }
            Some(Status::Held | Status::Committed | Status::Shipped) => return Ok(Change::Already),
        }
        self.0.answered = revision;
        if let Err(missing) = shelf.hold(&self.0.order_id, lines) {
            self.0.status = Some(Status::Rejected);
            return Ok(reject(revision, missing.reason, missing.shortages));
        }
        self.0.status = Some(Status::Held);
        self.0.lines = lines.clone();
        self.0.expires_at = Some(until);
        Ok(Change::Moved(Some(Fact::Reserved { revision, until })))
    }

    /// Other lines are wished for: hold of each SKU the larger of settled and desired, all or
    /// nothing. Nothing of what is settled is given back before the end is known; what a refused
    /// amendment before it left over counts for this one. `until` is what the answer tells.
    ///
    /// # Errors
    /// [`Refused`] when nothing is held: order amends only what it confirmed.
    pub fn note_amended(
        &mut self,
        revision: i32,
        settled: &Lines,
        desired: &Lines,
        until: DateTime<Utc>,
        shelf: &mut Shelf,
    ) -> Result<Change, Refused> {
        if revision <= 1 {
            return Err(Refused::Malformed(format!("revision {revision}")));
        }
        if revision <= self.0.answered {
            return Ok(Change::Already);
        }
        let pool = match self.0.status {
            Some(Status::Released | Status::Fenced | Status::Shipped) => {
                self.0.answered = revision;
                return Ok(reject(revision, RejectReason::Released, Vec::new()));
            }
            None | Some(Status::Rejected) => return Err(self.refused("amended")),
            Some(Status::Held) => Pool::Held,
            Some(Status::Committed) => Pool::Committed,
        };
        self.0.answered = revision;
        let target = settled.larger(desired);
        match shelf.resize(&self.0.order_id, &self.0.lines, &target, pool)? {
            Err(missing) => Ok(reject(revision, missing.reason, missing.shortages)),
            Ok(()) => {
                self.0.lines = target;
                Ok(Change::Moved(Some(Fact::Reserved { revision, until })))
            }
        }
    }

    /// Whether it waits for order's word (rule 10): a hold for its confirmation, an amendment that
    /// was answered for its end.
    #[must_use]
    pub fn waits(&self) -> bool {
        match self.0.status {
            Some(Status::Held) => true,
            Some(Status::Committed) => self.0.answered > self.0.settled,
            None | Some(Status::Rejected | Status::Shipped | Status::Released | Status::Fenced) => {
                false
            }
        }
    }

    /// These lines are in force now: trim to exactly them and commit. A trim says nothing.
    ///
    /// # Errors
    /// [`Refused`] when nothing, or less than these lines, is held: order confirms only what
    /// inventory reserved.
    pub fn note_confirmed(
        &mut self,
        revision: i32,
        lines: &Lines,
        shelf: &mut Shelf,
    ) -> Result<Change, Refused> {
        let pool = match self.0.status {
            Some(Status::Released | Status::Fenced | Status::Shipped) => {
                return Ok(Change::Already);
            }
            _ if revision < self.0.answered => return Ok(Change::Already),
            None | Some(Status::Rejected) => return Err(self.refused("confirmed")),
            Some(Status::Held) => Pool::Held,
            Some(Status::Committed) if revision == self.0.settled => return Ok(Change::Already),
            Some(Status::Committed) => Pool::Committed,
        };
        self.trim_and_commit(pool, revision, lines, shelf)?;
        self.0.status = Some(Status::Committed);
        self.0.answered = revision;
        Ok(Change::Moved(None))
    }

    /// The goods leave: trim to exactly these lines, whether their confirmation was heard or not,
    /// and book them out. It is final, and heard once.
    ///
    /// # Errors
    /// [`Refused`] when nothing, or less than these lines, is held: order ships only what it
    /// confirmed, and never after it had the hold given back.
    pub fn note_shipped(
        &mut self,
        revision: i32,
        lines: &Lines,
        shelf: &mut Shelf,
    ) -> Result<Change, Refused> {
        let pool = match self.0.status {
            Some(Status::Shipped) => return Ok(Change::Already),
            Some(Status::Held) => Pool::Held,
            Some(Status::Committed) => Pool::Committed,
            None | Some(Status::Rejected | Status::Released | Status::Fenced) => {
                return Err(self.refused("shipped"));
            }
        };
        self.trim_and_commit(pool, revision, lines, shelf)?;
        shelf.ship(&self.0.order_id, lines)?;
        self.0.status = Some(Status::Shipped);
        self.0.answered = self.0.answered.max(revision);
        Ok(Change::Moved(Some(Fact::Dispatched)))
    }

    /// Trims what `pool` has for the order to exactly these lines, and commits them.
    fn trim_and_commit(
        &mut self,
        pool: Pool,
        revision: i32,
        lines: &Lines,
        shelf: &mut Shelf,
    ) -> Result<(), Refused> {
        let spare = self.0.lines.beyond(lines).ok_or(Refused::NotCovered { revision })?;
        shelf.give_back(&self.0.order_id, &spare, pool)?;
        if pool == Pool::Held {
            shelf.commit(&self.0.order_id, lines)?;
        }
        self.0.lines = lines.clone();
        self.0.settled = revision;
        self.0.expires_at = None;
        Ok(())
    }

    /// The order is cancelled: give everything back, or fence an order never heard of.
    ///
    /// # Errors
    /// [`Refused`] once the goods have left.
    pub fn note_canceled(&mut self, shelf: &mut Shelf) -> Result<Change, Refused> {
        self.let_go("canceled", shelf)
    }

    /// Everything was refunded and order wants the hold given back.
    ///
    /// # Errors
    /// [`Refused`] once the goods have left: order then says that nothing is to be released.
    pub fn note_refunded(&mut self, shelf: &mut Shelf) -> Result<Change, Refused> {
        self.let_go("refunded", shelf)
    }

    /// The hold's time may be over: say so once, give nothing back.
    pub fn expire(&mut self, now: DateTime<Utc>) -> Change {
        let due = self.0.expires_at.is_some_and(|until| until <= now);
        if self.0.status != Some(Status::Held) || !due || self.0.expired_at.is_some() {
            return Change::Already;
        }
        self.0.expired_at = Some(now);
        Change::Moved(Some(Fact::Expired { revision: self.0.answered }))
    }

    fn let_go(&mut self, fact: &'static str, shelf: &mut Shelf) -> Result<Change, Refused> {
        let order_id = &self.0.order_id;
        let end = match self.0.status {
            None => Status::Fenced,
            Some(Status::Rejected) => Status::Released,
            Some(Status::Held) => {
                shelf.give_back(order_id, &self.0.lines, Pool::Held)?;
                Status::Released
            }
            Some(Status::Committed) => {
                shelf.give_back(order_id, &self.0.lines, Pool::Committed)?;
                Status::Released
            }
            Some(Status::Released | Status::Fenced) => return Ok(Change::Already),
            Some(Status::Shipped) => return Err(self.refused(fact)),
        };
        self.0.status = Some(end);
        self.0.lines = Lines::default();
        self.0.expires_at = None;
        Ok(Change::Moved(Some(Fact::Released)))
    }

    fn refused(&self, fact: &'static str) -> Refused {
        Refused::Transition { fact, state: self.0.status.map_or("unheard of", Status::name) }
    }
}

fn reject(revision: i32, reason: RejectReason, shortages: Vec<Shortage>) -> Change {
    Change::Moved(Some(Fact::Rejected { revision, reason, shortages }))
}
