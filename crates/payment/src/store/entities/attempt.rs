//! `attempts`: the ledger of calls to the gateway.

use sea_orm::entity::prelude::*;

/// A call to the gateway.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "attempts")]
pub struct Model {
    /// The call.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The order.
    pub order_id: String,
    /// The key under which the gateway knows the movement.
    pub idempotency_key: String,
    /// `approved`, `declined` or `unknown`.
    pub outcome: String,
    /// The gateway's code, or why the outcome is unknown.
    #[sea_orm(column_type = "Text")]
    pub detail: String,
    /// When the call returned.
    pub at: i64,
}

impl ActiveModelBehavior for ActiveModel {}
