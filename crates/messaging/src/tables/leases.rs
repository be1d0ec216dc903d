//! `leases`: which process does a job that only one may do at a time.

use sea_orm::entity::prelude::*;

/// A lease.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "leases")]
pub struct Model {
    /// The job, for example `relay`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// Who holds it.
    pub owner: String,
    /// Until when, unless renewed.
    pub expires_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}
