//! `parked`: dead letters and the events waiting behind them (rule 4).

use sea_orm::entity::prelude::*;

/// A parked event.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "parked")]
pub struct Model {
    /// Order of arrival.
    #[sea_orm(primary_key)]
    pub seq: i64,
    /// What makes it one: the event's id, or topic/partition/offset and a digest of key and
    /// value where there is none or the key does not fit it.
    #[sea_orm(unique)]
    pub identity: String,
    /// Its stream; absent when the record has no key.
    pub stream: Option<String>,
    /// The event's type as far as it could be read.
    pub event_type: String,
    /// The topic it was read from.
    pub topic: String,
    /// The partition it was read from.
    pub partition: i32,
    /// The offset it was read at.
    pub log_offset: i64,
    /// The value as it was read.
    #[sea_orm(column_type = "Blob")]
    pub payload: Vec<u8>,
    /// Key and headers as they were read, byte for byte, as JSON.
    #[sea_orm(column_type = "Text")]
    pub headers: String,
    /// Why: a poison's code, or `parked_behind`.
    pub reason: String,
    /// The same for people.
    #[sea_orm(column_type = "Text")]
    pub message: String,
    /// When.
    pub parked_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}
