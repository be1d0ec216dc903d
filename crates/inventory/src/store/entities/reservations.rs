//! `reservations`: one row per order inventory has heard of, kept as long as orders are.

use sea_orm::entity::prelude::*;

/// A reservation.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reservations")]
pub struct Model {
    /// The order.
    #[sea_orm(primary_key, auto_increment = false)]
    pub order_id: String,
    /// A [`crate::domain::Status`] by name.
    pub status: String,
    /// The highest revision answered; 0 before the first.
    pub answered_revision: i32,
    /// The highest revision confirmed; 0 before the first.
    pub settled_revision: i32,
    /// Until when an uncommitted hold waits before inventory asks about it.
    pub expires_at: Option<i64>,
    /// When inventory said that the hold expired.
    pub expired_at: Option<i64>,
    /// The run that asked for the hold; for tracing only.
    pub saga_id: Option<String>,
    /// Trace context of that run; for tracing only.
    pub traceparent: Option<String>,
    /// When inventory first heard of the order.
    pub created_at: i64,
    /// When the row last changed.
    pub updated_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}
