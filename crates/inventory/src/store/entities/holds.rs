//! `holds`: what is held or committed for an order now; once shipped, what has left.

use sea_orm::entity::prelude::*;

/// A line of a hold.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "holds")]
pub struct Model {
    /// The order.
    #[sea_orm(primary_key, auto_increment = false)]
    pub order_id: String,
    /// The SKU.
    #[sea_orm(primary_key, auto_increment = false)]
    pub sku: String,
    /// Units, greater than zero.
    pub qty: i64,
}

impl ActiveModelBehavior for ActiveModel {}
