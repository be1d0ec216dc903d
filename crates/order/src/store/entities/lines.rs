//! `lines`: what was ordered, per revision. A pending order's lines have revision 1 already.

use sea_orm::entity::prelude::*;

/// A line.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "lines")]
pub struct Model {
    /// Its order.
    #[sea_orm(primary_key, auto_increment = false)]
    pub order_id: String,
    /// The revision it belongs to.
    #[sea_orm(primary_key, auto_increment = false)]
    pub revision: i32,
    /// Its place among the revision's lines, from 0.
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i32,
    /// The line's own id, kept over revisions.
    pub id: String,
    /// Stock keeping unit.
    pub sku: String,
    /// Units.
    pub qty: i32,
    /// Price of one unit, in minor units.
    pub price_minor: i64,
    /// Name for people; may be empty.
    pub name: String,
    /// When it came to be on the order.
    pub created_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}
