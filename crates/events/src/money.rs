//! Money and lines as events carry them.

use serde::{Deserialize, Serialize};

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// In the currency's minor unit.
    pub amount_minor: i64,
    /// ISO 4217 code in upper case.
    pub currency: String,
}

/// A line of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Stock keeping unit.
    pub sku: String,
    /// Units, greater than zero.
    pub qty: i64,
    /// Price of one unit.
    pub price: Amount,
}

/// How many units of a SKU are missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quantity {
    /// Stock keeping unit.
    pub sku: String,
    /// Units asked for.
    pub asked: i64,
    /// Units available at that moment.
    pub available: i64,
}
