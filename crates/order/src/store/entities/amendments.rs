//! `amendments`: how each amendment ended. One that is open is the order's run and has no row.

use sea_orm::entity::prelude::*;

/// An amendment that has ended.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "amendments")]
pub struct Model {
    /// Its order.
    #[sea_orm(primary_key, auto_increment = false)]
    pub order_id: String,
    /// The revision that was asked for.
    #[sea_orm(primary_key, auto_increment = false)]
    pub revision: i32,
    /// A [`crate::domain::AmendmentEnd`] by its word.
    pub outcome: String,
    /// When it ended.
    pub ended_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}
