//! `outbox`: what this service has said and must reach the log.

use sea_orm::entity::prelude::*;

/// A row of the outbox.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outbox")]
pub struct Model {
    /// Position in this outbox; within a stream it is commit order (I6).
    #[sea_orm(primary_key)]
    pub seq: i64,
    /// The event's id.
    #[sea_orm(unique)]
    pub id: String,
    /// Where to.
    pub topic: String,
    /// The stream it belongs to and the record's key; absent for dead letters without a key.
    pub stream: Option<String>,
    /// The event's type; empty for dead letters.
    pub event_type: String,
    /// The value.
    #[sea_orm(column_type = "Blob")]
    pub payload: Vec<u8>,
    /// Key and headers of a dead letter's record, byte for byte, as JSON; absent for events.
    #[sea_orm(column_type = "Text", nullable)]
    pub headers: Option<String>,
    /// W3C trace context of the action that appended the row.
    pub traceparent: Option<String>,
    /// When it was appended.
    pub created_at: i64,
    /// When its delivery report came; absent means it is due.
    pub published_at: Option<i64>,
    /// Rises with each republication, so that a late mark cannot hide a newer wish to publish.
    pub generation: i64,
    /// Whether the next publication carries the `oms-ask` header (rule 10).
    pub ask: bool,
    /// The generation with which the question was wished for: publishing that one, or a later one,
    /// has asked it, whatever became of the row since.
    pub ask_generation: i64,
    /// Until when a record the broker refused waits; its stream waits with it.
    pub refused_until: Option<i64>,
    /// Why the broker refused it.
    #[sea_orm(column_type = "Text", nullable)]
    pub refused_reason: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
