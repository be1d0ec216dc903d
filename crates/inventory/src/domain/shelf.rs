//! The stock that one transaction works on.
//!
//! Guards I1: per SKU available + held + committed + shipped = received ± adjusted, none negative.
//! Held by the tests of this module, by `tests/invariants.rs`, and by the table's CHECKs.

use std::collections::{BTreeMap, btree_map::Entry};

use super::{Lines, Movement, MovementKind, Refused, StockRefused};

/// Most units one stock row may count, so that no sum of its four counts can overflow.
pub const UNITS_MAX: i64 = 1_000_000_000_000_000;

/// The four counts of a stock row, or a change of them, in units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Free to be reserved.
    pub available: i64,
    /// Reserved for orders being paid.
    pub held: i64,
    /// Reserved for confirmed orders.
    pub committed: i64,
    /// Left the house.
    pub shipped: i64,
}

impl Counts {
    /// Everything ever received and not adjusted away.
    #[must_use]
    pub const fn total(&self) -> i64 {
        self.available + self.held + self.committed + self.shipped
    }

    const fn minus(&self, other: &Self) -> Self {
        Self {
            available: self.available - other.available,
            held: self.held - other.held,
            committed: self.committed - other.committed,
            shipped: self.shipped - other.shipped,
        }
    }
}

/// Why lines could not be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectReason {
    /// A SKU exists, but not enough of it is available.
    OutOfStock,
    /// A SKU was never received.
    UnknownSku,
    /// The reservation was released or fenced before.
    Released,
}

impl RejectReason {
    /// Its name in `oms.inventory.rejected`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OutOfStock => "out_of_stock",
            Self::UnknownSku => "unknown_sku",
            Self::Released => "released",
        }
    }
}

/// How many units of a SKU are missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// The SKU.
    pub sku: String,
    /// Units asked for.
    pub asked: i64,
    /// Units available at that moment.
    pub available: i64,
}

/// Lines that could not be held, all of them missing ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortfall {
    /// Why; an unknown SKU outweighs one that is out of stock.
    pub reason: RejectReason,
    /// What is missing, in SKU order.
    pub shortages: Vec<Shortage>,
}

/// From which count units are given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pool {
    Held,
    Committed,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    loaded: Counts,
    now: Counts,
}

/// Stock rows as they were loaded and as they are to be, and the ledger entries in between.
#[derive(Clone, Debug, Default)]
pub struct Shelf {
    rows: BTreeMap<String, Row>,
    movements: Vec<Movement>,
}

impl Shelf {
    /// A shelf of these rows.
    pub fn new(rows: impl IntoIterator<Item = (String, Counts)>) -> Self {
        let rows = rows.into_iter().map(|(sku, loaded)| (sku, Row { loaded, now: loaded }));
        Self { rows: rows.collect(), movements: Vec::new() }
    }

    /// The counts of a SKU now; `None` for one never received.
    #[must_use]
    pub fn counts(&self, sku: &str) -> Option<Counts> {
        self.rows.get(sku).map(|row| row.now)
    }

    /// The net change per SKU, in SKU order; SKUs without one are left out.
    pub fn changes(&self) -> impl Iterator<Item = (&str, Counts)> {
        let net = self.rows.iter().map(|(sku, row)| (sku.as_str(), row.now.minus(&row.loaded)));
        net.filter(|(_, change)| *change != Counts::default())
    }

    /// The ledger entries so far, in order.
    #[must_use]
    pub fn movements(&self) -> &[Movement] {
        &self.movements
    }

    /// Holds every line for the order, or none.
    ///
    /// # Errors
    /// What is missing.
    pub fn hold(&mut self, order_id: &str, lines: &Lines) -> Result<(), Shortfall> {
        let mut reason = RejectReason::OutOfStock;
        let mut shortages = Vec::new();
        for (sku, asked) in lines.iter() {
            let row = self.rows.get(sku);
            if row.is_none() {
                reason = RejectReason::UnknownSku;
            }
            let available = row.map_or(0, |row| row.now.available);
            if row.is_none() || available < asked {
                shortages.push(Shortage { sku: sku.to_owned(), asked, available });
            }
        }
        if !shortages.is_empty() {
            return Err(Shortfall { reason, shortages });
        }
        for (sku, qty) in lines.iter() {
            if let Some(row) = self.rows.get_mut(sku) {
                row.now.available -= qty;
                row.now.held += qty;
            }
            self.record(order_id, sku, MovementKind::Held, qty);
        }
        Ok(())
    }

    /// Makes what `pool` has for the order `to` instead of `from`, or leaves all of it.
    pub(super) fn resize(
        &mut self,
        order_id: &str,
        from: &Lines,
        to: &Lines,
        pool: Pool,
    ) -> Result<Result<(), Shortfall>, Refused> {
        let (more, less) = (to.more_than(from), from.more_than(to));
        if let Err(missing) = self.hold(order_id, &more) {
            return Ok(Err(missing));
        }
        if pool == Pool::Committed {
            self.commit(order_id, &more)?;
        }
        self.give_back(order_id, &less, pool)?;
        Ok(Ok(()))
    }

    /// Moves what is held for the order to committed.
    pub(super) fn commit(&mut self, order_id: &str, lines: &Lines) -> Result<(), Refused> {
        for (sku, qty) in lines.iter() {
            let now = self.row(sku)?;
            if now.held < qty {
                return Err(Refused::OutOfBalance { sku: sku.to_owned() });
            }
            now.held -= qty;
            now.committed += qty;
            self.record(order_id, sku, MovementKind::Committed, qty);
        }
        Ok(())
    }

    /// Books what is committed for the order out: it has left the house.
    pub(super) fn ship(&mut self, order_id: &str, lines: &Lines) -> Result<(), Refused> {
        for (sku, qty) in lines.iter() {
            let now = self.row(sku)?;
            if now.committed < qty {
                return Err(Refused::OutOfBalance { sku: sku.to_owned() });
            }
            now.committed -= qty;
            now.shipped += qty;
            self.record(order_id, sku, MovementKind::Shipped, qty);
        }
        Ok(())
    }

    /// Makes what was held or committed for the order available again.
    pub(super) fn give_back(
        &mut self,
        order_id: &str,
        lines: &Lines,
        from: Pool,
    ) -> Result<(), Refused> {
        for (sku, qty) in lines.iter() {
            let now = self.row(sku)?;
            let pool = match from {
                Pool::Held => &mut now.held,
                Pool::Committed => &mut now.committed,
            };
            if *pool < qty {
                return Err(Refused::OutOfBalance { sku: sku.to_owned() });
            }
            *pool -= qty;
            now.available += qty;
            self.record(order_id, sku, MovementKind::Released, qty);
        }
        Ok(())
    }

    /// Books goods in; an unknown SKU begins here.
    ///
    /// # Errors
    /// [`StockRefused::TooMany`] beyond [`UNITS_MAX`].
    pub fn receive(&mut self, sku: &str, qty: i64, note: &str) -> Result<Counts, StockRefused> {
        let row = match self.rows.entry(sku.to_owned()) {
            Entry::Occupied(row) => row.into_mut(),
            Entry::Vacant(free) => {
                free.insert(Row { loaded: Counts::default(), now: Counts::default() })
            }
        };
        if qty > UNITS_MAX - row.now.total() {
            return Err(StockRefused::TooMany);
        }
        row.now.available += qty;
        let counts = row.now;
        self.note(sku, MovementKind::Received, qty, note);
        Ok(counts)
    }

    /// Corrects a count.
    ///
    /// # Errors
    /// [`StockRefused`] for an unknown SKU, or when less than zero or too many would be available.
    pub fn adjust(&mut self, sku: &str, delta: i64, note: &str) -> Result<Counts, StockRefused> {
        let row = self.rows.get_mut(sku).ok_or(StockRefused::UnknownSku)?;
        if delta > UNITS_MAX - row.now.total() {
            return Err(StockRefused::TooMany);
        }
        let left = row.now.available.checked_add(delta).filter(|left| *left >= 0);
        row.now.available = left.ok_or(StockRefused::BelowZero)?;
        let counts = row.now;
        self.note(sku, MovementKind::Adjusted, delta, note);
        Ok(counts)
    }

    fn row(&mut self, sku: &str) -> Result<&mut Counts, Refused> {
        let row = self.rows.get_mut(sku);
        Ok(&mut row.ok_or_else(|| Refused::OutOfBalance { sku: sku.to_owned() })?.now)
    }

    fn record(&mut self, order_id: &str, sku: &str, kind: MovementKind, qty: i64) {
        let order_id = Some(order_id.to_owned());
        let note = String::new();
        self.movements.push(Movement { sku: sku.to_owned(), kind, order_id, qty, note });
    }

    fn note(&mut self, sku: &str, kind: MovementKind, qty: i64, note: &str) {
        let note = note.to_owned();
        self.movements.push(Movement { sku: sku.to_owned(), kind, order_id: None, qty, note });
    }
}
