//! `captures`: the money of one revision of one order.

use sea_orm::entity::prelude::*;

/// A capture.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "captures")]
pub struct Model {
    /// The order.
    #[sea_orm(primary_key, auto_increment = false)]
    pub order_id: String,
    /// The revision.
    #[sea_orm(primary_key, auto_increment = false)]
    pub revision: i32,
    /// Whether order has said what the revision costs.
    pub noted: bool,
    /// What it costs.
    pub total: i64,
    /// What was settled before it.
    pub base: i64,
    /// How to pay.
    pub method: String,
    /// Whether inventory holds its lines.
    pub reserved: bool,
    /// `noted`, `due`, `succeeded` or `failed`.
    pub state: String,
    /// What is or was due.
    pub amount: i64,
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
