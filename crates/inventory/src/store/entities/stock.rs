//! `stock`: one row per SKU. available + held + committed + shipped = received ± adjusted (I1).

use sea_orm::entity::prelude::*;

/// The stock of a SKU.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "stock")]
pub struct Model {
    /// Stock keeping unit.
    #[sea_orm(primary_key, auto_increment = false)]
    pub sku: String,
    /// Free to be reserved.
    pub available: i64,
    /// Reserved for orders being paid.
    pub held: i64,
    /// Reserved for confirmed orders.
    pub committed: i64,
    /// Left the house.
    pub shipped: i64,
    /// When a count last changed.
    pub updated_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}
