//! `fingerprints`: which order a keyless CreateOrder made, so that a retry finds it.

use sea_orm::entity::prelude::*;

/// What the parameters of a CreateOrder led to.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "fingerprints")]
pub struct Model {
    /// Digest of customer, currency and lines.
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: String,
    /// The order.
    pub order_id: String,
    /// Until when the same parameters mean a retry.
    pub expires_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}
