//! `streams`: one row per stream (order), locked first by whoever touches it (rule 1).

use sea_orm::entity::prelude::*;

/// A stream.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "streams")]
pub struct Model {
    /// The order id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The last `sequence` this service has given out.
    pub sequence: i64,
    /// Whether a dead letter parks the stream's later events (rule 4).
    pub parked: bool,
    /// When this service asks next; absent while it waits for nothing (rule 10).
    pub ask_at: Option<i64>,
    /// Asks since it last heard something.
    pub ask_attempt: i32,
    /// When the stream came to its end in this service; starts its retention.
    pub ended_at: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}
