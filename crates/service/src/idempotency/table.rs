//! The table `idempotency`: one row a key.
#![allow(unreachable_pub, reason = "the derive makes its companions pub, and they name the model")]

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub scope: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    pub method: String,
    pub request_hash: String,
    /// Status code of the answer; absent while there is none.
    pub code: Option<i32>,
    pub reason: Option<String>,
    pub message: Option<String>,
    /// The encoded response of an OK answer.
    pub response: Option<Vec<u8>>,
    /// What the answer waits for.
    pub pending_on: Option<String>,
    pub created_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
