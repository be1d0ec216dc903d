//! `refunds`: refunds asked for, and the one payment makes at a cancellation.

use sea_orm::entity::prelude::*;

/// A refund.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refunds")]
pub struct Model {
    /// Its id in events.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// Its order.
    pub order_id: String,
    /// How much, in minor units of the order's currency.
    pub amount_minor: i64,
    /// `open`, `succeeded` or `failed`.
    pub state: String,
    /// The customer's words.
    pub reason: String,
    /// Why it failed; empty unless it did.
    pub code: String,
    /// When it was asked for.
    pub asked_at: i64,
    /// When its outcome was heard.
    pub ended_at: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}
