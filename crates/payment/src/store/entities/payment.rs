//! `payments`: one row per order, also for one that was cancelled before payment heard of it.

use sea_orm::entity::prelude::*;

/// A payment.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payments")]
pub struct Model {
    /// The order.
    #[sea_orm(primary_key, auto_increment = false)]
    pub order_id: String,
    /// ISO 4217 code; empty until an event named it.
    pub currency: String,
    /// Who pays; empty until `submitted`.
    pub customer_id: String,
    /// How to pay unless a call says otherwise; empty until `submitted`.
    pub method: String,
    /// What the order in force costs.
    pub total: i64,
    /// Everything taken so far.
    pub captured: i64,
    /// Everything given back so far.
    pub refunded: i64,
    /// Cancelled: nothing more falls due.
    pub closing: bool,
    /// Cancelled and nothing pending.
    pub closed: bool,
    /// The one refund of a cancelled order has been made.
    pub cancel_refund_made: bool,
    /// The highest revision order has confirmed.
    pub concluded_revision: i32,
    /// The highest revision payment has answered.
    pub verdict_revision: i32,
    /// On whose account it closes, JSON.
    #[sea_orm(column_type = "Text")]
    pub closing_origin: String,
    /// When payment first heard of the order.
    pub created_at: i64,
    /// When something last changed.
    pub updated_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}
