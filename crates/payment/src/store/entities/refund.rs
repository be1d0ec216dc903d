//! `refunds`: money given back, or to be given back.

use sea_orm::entity::prelude::*;

/// A refund.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refunds")]
pub struct Model {
    /// Names it, for ever; `cancel:<order>` for the one a cancelled order gets by itself.
    #[sea_orm(primary_key, auto_increment = false)]
    pub refund_id: String,
    /// The order.
    pub order_id: String,
    /// How much.
    pub amount: i64,
    /// `due`, `succeeded` or `failed`.
    pub state: String,
    /// Why it failed; else empty.
    pub code: String,
    /// Calls whose outcome stayed unknown.
    pub attempts: i32,
    /// When the gateway is asked next; only while due.
    pub next_at: Option<i64>,
    /// On whose account, JSON.
    #[sea_orm(column_type = "Text")]
    pub origin: String,
    /// When it last changed.
    pub updated_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}
