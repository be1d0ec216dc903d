//! `movements`: the stock ledger. Rows are only ever added.

use sea_orm::entity::prelude::*;

/// An entry of the ledger.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "movements")]
pub struct Model {
    /// Position in the ledger.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The SKU that moved.
    pub sku: String,
    /// How: a [`crate::domain::MovementKind`] by name.
    pub kind: String,
    /// The order that caused it, if one did.
    pub order_id: Option<String>,
    /// Units; negative only for an adjustment downwards.
    pub qty: i64,
    /// The operator's words.
    #[sea_orm(column_type = "Text")]
    pub note: String,
    /// When.
    pub created_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}
