//! Lines of an order.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Currency, Money, MoneyError};

/// Lines of one order.
pub const LINES_MAX: usize = 500;

/// So many units of one SKU at a price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The line's own id.
    pub id: Uuid,
    /// Stock keeping unit.
    pub sku: String,
    /// Units, greater than zero.
    pub qty: i32,
    /// Price of one unit, in the order's currency.
    pub price: Money,
    /// Name for people; may be empty.
    pub name: String,
    /// When it came to be on the order.
    pub created_at: DateTime<Utc>,
}

/// What lines cost together.
///
/// # Errors
/// [`MoneyError::Mixed`] for a line in another currency, [`MoneyError::Overflow`] when the sum is
/// more than 64 bits hold.
pub fn total(lines: &[Line], currency: Currency) -> Result<Money, MoneyError> {
    lines.iter().try_fold(Money::zero(currency), |sum, line| {
        sum.plus(line.price.times(i64::from(line.qty))?)
    })
}
