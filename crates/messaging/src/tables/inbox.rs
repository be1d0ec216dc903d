//! `inbox`: ids of events this service has applied.

use sea_orm::entity::prelude::*;

/// A claimed event.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "inbox")]
pub struct Model {
    /// The event's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// Its stream.
    pub stream: String,
    /// When it was applied.
    pub received_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}
