//! How an order comes to be.

use uuid::Uuid;

use super::{
    Cause, Currency, Fact, LINES_MAX, Ledger, Line, Money, MoneyError, Order, OrderState, Status,
    timeline::Happening, total,
};

/// What a new order is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOrder {
    /// A fresh id.
    pub id: Uuid,
    /// Who orders; not empty.
    pub customer_id: String,
    /// Of all prices.
    pub currency: Currency,
    /// At least one, each with a fresh id.
    pub lines: Vec<Line>,
    /// The caller's own reference; may be empty.
    pub reference: String,
}

/// Why no order can be made of it. Callers that show every violation at once check before; this is
/// the aggregate's own guard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOrder {
    /// Nobody orders.
    #[error("customer_id is required")]
    NoCustomer,
    /// Nothing is ordered.
    #[error("order must contain at least one item")]
    NoLines,
    /// A line without a SKU.
    #[error("item[{0}].sku is required")]
    NoSku(usize),
    /// A line of nothing.
    #[error("item[{0}].qty must be positive")]
    NoQuantity(usize),
    /// A line for nothing.
    #[error("item[{0}].price.amount_minor must be positive")]
    NoPrice(usize),
    /// A line in another currency.
    #[error("item[{0}].price.currency mismatch")]
    OtherCurrency(usize),
    /// More lines than an order may have.
    #[error("order must contain at most {LINES_MAX} items")]
    TooManyLines,
    /// More than money can count.
    #[error("order total is out of range")]
    TotalOutOfRange,
}

impl Order {
    /// Creates an order: PENDING, version 1, said to the world.
    ///
    /// # Errors
    /// [`InvalidOrder`], for the first thing wrong with it.
    pub fn create(new: NewOrder, cause: &Cause) -> Result<Self, InvalidOrder> {
        let total = check(&new)?;
        let NewOrder { id, customer_id, currency, lines, reference } = new;
        let zero = Money::zero(currency);
        let mut order = Self::restore(OrderState {
            id,
            customer_id: customer_id.clone(),
            reference,
            currency,
            status: Status::Pending,
            version: 0,
            revision: 0,
            settled_revision: 0,
            lines: lines.clone(),
            run: None,
            saga_id: None,
            payment_method: String::new(),
            status_reason: None,
            ledger: Ledger { captured: zero, refunded: zero, sequence: 0 },
            released: false,
            closed: false,
            cancel_refund_failed: false,
            release_asked: false,
            dispatched: false,
            refunds: Vec::new(),
            created_at: cause.at,
            updated_at: cause.at,
            trace_id: cause.trace_id.clone(),
        });
        order.write(&Happening::Created { customer_id: &customer_id }, cause);
        order.say(Fact::Created { lines, total });
        Ok(order)
    }
}

fn check(new: &NewOrder) -> Result<Money, InvalidOrder> {
    if new.customer_id.is_empty() {
        return Err(InvalidOrder::NoCustomer);
    }
    check_lines(&new.lines, new.currency)
}

/// What the lines cost, if an order can have them.
pub(super) fn check_lines(lines: &[Line], currency: Currency) -> Result<Money, InvalidOrder> {
    if lines.is_empty() {
        return Err(InvalidOrder::NoLines);
    }
    if lines.len() > LINES_MAX {
        return Err(InvalidOrder::TooManyLines);
    }
    for (i, line) in lines.iter().enumerate() {
        if line.sku.is_empty() {
            return Err(InvalidOrder::NoSku(i));
        }
        if line.qty <= 0 {
            return Err(InvalidOrder::NoQuantity(i));
        }
        if line.price.currency() != currency {
            return Err(InvalidOrder::OtherCurrency(i));
        }
        if line.price.minor() <= 0 {
            return Err(InvalidOrder::NoPrice(i));
        }
    }
    total(lines, currency).map_err(|error| match error {
        MoneyError::Overflow | MoneyError::UnknownCurrency(_) | MoneyError::Mixed(..) => {
            InvalidOrder::TotalOutOfRange
        }
    })
}
