//! `interventions`: what operators did about dead letters (rule 4). Rows are kept for ever: there
//! is one for each letter that somebody took in hand.

use sea_orm::entity::prelude::*;

/// A letter that was redriven or discarded.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "interventions")]
pub struct Model {
    /// In the order in which they were done.
    #[sea_orm(primary_key)]
    pub seq: i64,
    /// `redriven` or `discarded`.
    pub action: String,
    /// The operator's own words.
    #[sea_orm(column_type = "Text")]
    pub note: String,
    /// When.
    pub at: i64,
    /// Its number while it was parked.
    pub letter: i64,
    /// What made it one in parking.
    pub identity: String,
    /// Its stream; absent when the record had no key.
    pub stream: Option<String>,
    /// The event's type as far as it could be read.
    pub event_type: String,
    /// The topic it was read from.
    pub topic: String,
    /// The partition it was read from.
    pub partition: i32,
    /// The offset it was read at.
    pub log_offset: i64,
    /// Why it was parked.
    pub reason: String,
    /// The same for people.
    #[sea_orm(column_type = "Text")]
    pub message: String,
    /// When it was parked.
    pub parked_at: i64,
    /// The value, where it was discarded.
    #[sea_orm(column_type = "Blob", nullable)]
    pub payload: Option<Vec<u8>>,
    /// Key and headers, where it was discarded.
    #[sea_orm(column_type = "Text", nullable)]
    pub headers: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
