//! Changes of what is ordered. While the order is PENDING and no run was begun they are plain:
//! nobody else has heard of its lines yet. Once it is CONFIRMED each begins an amend run.

use uuid::Uuid;

use super::{
    Cause, Currency, InvalidOrder, Line, Money, Order, Refusal, Terms,
    create::check_lines,
    table::{self, EditVerdict},
    timeline::Happening,
};

/// A change of what is ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// One more line, with a fresh id.
    Add(Line),
    /// One line less.
    Remove {
        /// The line.
        line: Uuid,
    },
    /// Another quantity of one line.
    SetQuantity {
        /// The line.
        line: Uuid,
        /// Units.
        qty: i32,
    },
    /// Exactly these lines.
    Replace {
        /// Who orders, if that changes.
        customer_id: Option<String>,
        /// Of all prices, if that changes.
        currency: Option<Currency>,
        /// All that is ordered from now on, in order.
        lines: Vec<Placed>,
    },
}

/// A line in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The line of the order that it changes; none for a new one.
    pub changes: Option<Uuid>,
    /// As it is to be; its own id and instant count only for a new one.
    pub line: Line,
}

/// What [`Order::edit`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Editing {
    /// The order is so now.
    Done,
    /// The amend run of this revision begins; until it ends the order stays as it is.
    Amending(i32),
    /// It was so before. Nothing was changed.
    Already,
}

/// What an order is to look like.
struct Desired {
    customer_id: String,
    currency: Currency,
    lines: Vec<Line>,
}

impl Order {
    /// Changes what is ordered, at once or by an amend run on these terms.
    ///
    /// # Errors
    /// [`Refusal::Busy`] while a run is open, [`Refusal::NotEditable`] once the goods have left or
    /// the order is dead, [`Refusal::DecreaseTooHigh`] when less is left of the payment than would
    /// have to go back, and what is wrong with the change.
    pub fn edit(&mut self, edit: Edit, terms: Terms, cause: &Cause) -> Result<Editing, Refusal> {
        let verdict = table::edit(self.status(), self.run_kind());
        match verdict {
            EditVerdict::Plain | EditVerdict::Amend => {}
            EditVerdict::Busy => return Err(Refusal::Busy),
            EditVerdict::Refused => return Err(Refusal::NotEditable(self.status())),
        }
        let change = edit.word();
        let desired = self.desired(edit)?;
        let Desired { customer_id, currency, lines } = desired;
        let moves = customer_id != self.state.customer_id;
        let converts = currency != self.state.currency;
        if verdict == EditVerdict::Amend && (moves || converts) {
            return Err(Refusal::FixedOncePaid(if moves { "customer_id" } else { "currency" }));
        }
        let total = check_lines(&lines, currency).map_err(Refusal::Invalid)?;
        if !moves && !converts && lines == self.state.lines {
            return Ok(Editing::Already);
        }
        if verdict == EditVerdict::Amend {
            return self.begin_amendment(change, lines, total, terms, cause).map(Editing::Amending);
        }
        self.edit_plainly(change, Desired { customer_id, currency, lines }, total, cause);
        Ok(Editing::Done)
    }

    fn edit_plainly(&mut self, change: &str, desired: Desired, total: Money, cause: &Cause) {
        let Desired { customer_id, currency, lines } = desired;
        let items = lines.len();
        let moved = (customer_id != self.state.customer_id).then_some(customer_id.as_str());
        self.write(&Happening::Edited { change, items, total, customer_id: moved }, cause);
        self.state.customer_id = customer_id;
        self.state.lines = lines;
        self.adopt_currency(currency);
    }

    fn desired(&self, edit: Edit) -> Result<Desired, Refusal> {
        let mut lines = self.state.lines.clone();
        let mut customer_id = self.state.customer_id.clone();
        let mut currency = self.state.currency;
        match edit {
            Edit::Add(line) => {
                if lines.iter().any(|known| known.sku == line.sku) {
                    return Err(Refusal::ProductTaken(line.sku));
                }
                if lines.iter().any(|known| known.id == line.id) {
                    return Err(Refusal::LineTwice(line.id));
                }
                lines.push(line);
            }
            Edit::Remove { line } => {
                let at = place_of(&lines, line)?;
                if lines.len() == 1 {
                    return Err(Refusal::LastLine);
                }
                lines.remove(at);
            }
            Edit::SetQuantity { line, qty } => {
                let at = place_of(&lines, line)?;
                if let Some(line) = lines.get_mut(at) {
                    line.qty = qty;
                }
            }
            Edit::Replace { customer_id: customer, currency: other, lines: placed } => {
                lines = replaced(&lines, placed)?;
                customer_id = customer.unwrap_or(customer_id);
                currency = other.unwrap_or(currency);
            }
        }
        if customer_id.is_empty() {
            return Err(Refusal::Invalid(InvalidOrder::NoCustomer));
        }
        Ok(Desired { customer_id, currency, lines })
    }
}

impl Edit {
    /// Its word on the timeline.
    const fn word(&self) -> &'static str {
        match self {
            Self::Add(_) => "item_added",
            Self::Remove { .. } => "item_removed",
            Self::SetQuantity { .. } => "quantity_changed",
            Self::Replace { .. } => "items_replaced",
        }
    }
}

fn place_of(lines: &[Line], id: Uuid) -> Result<usize, Refusal> {
    lines.iter().position(|line| line.id == id).ok_or(Refusal::LineNotFound(id))
}

/// Known lines keep their id and their instant, whatever else of them changes.
fn replaced(known: &[Line], placed: Vec<Placed>) -> Result<Vec<Line>, Refusal> {
    let mut lines: Vec<Line> = Vec::with_capacity(placed.len());
    for Placed { changes, line } in placed {
        let line = match changes {
            None => line,
            Some(id) => {
                let before = place_of(known, id).map(|at| known.get(at))?;
                let created_at = before.map_or(line.created_at, |before| before.created_at);
                Line { id, created_at, ..line }
            }
        };
        if lines.iter().any(|other| other.id == line.id) {
            return Err(Refusal::LineTwice(line.id));
        }
        lines.push(line);
    }
    Ok(lines)
}
