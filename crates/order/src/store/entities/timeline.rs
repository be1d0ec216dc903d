//! `timeline`: everything that happened to an order, one gapless version each (I5).

use sea_orm::entity::prelude::*;

/// An entry.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "timeline")]
pub struct Model {
    /// Its order.
    #[sea_orm(primary_key, auto_increment = false)]
    pub order_id: String,
    /// The order's version with it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i32,
    /// What happened.
    pub event_type: String,
    /// Details, a JSON object.
    #[sea_orm(column_type = "Text")]
    pub payload: String,
    /// When.
    pub occurred_at: i64,
    /// The event that caused it.
    pub event_id: Option<String>,
    /// The trace in which it happened.
    pub trace_id: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
