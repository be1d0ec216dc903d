//! One service's messaging: what all its parts share.

use std::sync::Arc;

use oms_seams::Seams;
use sea_orm::DatabaseConnection;
use tokio::sync::Notify;

use crate::{Failure, MessagingSettings, Tx};

/// What a service hands to messaging once, at start. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Messaging(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    source: String,
    topic: String,
    dead_letter_topic: String,
    database: DatabaseConnection,
    seams: Seams,
    settings: MessagingSettings,
    relay_wake: Notify,
}

/// The parts of [`Messaging`].
#[derive(Debug)]
pub struct MessagingParts {
    /// The CloudEvents source, for example `/oms/order`.
    pub source: String,
    /// The topic events go to and come from.
    pub topic: String,
    /// Where dead letters go.
    pub dead_letter_topic: String,
    /// The service's own database: the connection for writing.
    pub database: DatabaseConnection,
    /// Clock, ids and fault points.
    pub seams: Seams,
    /// Bounds and intervals.
    pub settings: MessagingSettings,
}

impl Messaging {
    /// Messaging over a database that has been migrated.
    #[must_use]
    pub fn new(parts: MessagingParts) -> Self {
        let MessagingParts { source, topic, dead_letter_topic, database, seams, settings } = parts;
        Self(Arc::new(Shared {
            source,
            topic,
            dead_letter_topic,
            database,
            seams,
            settings,
            relay_wake: Notify::new(),
        }))
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// [`Failure::Transient`] when the database is away.
    pub async fn begin(&self) -> Result<Tx, Failure> {
        Tx::begin(self.clone()).await
    }

    /// The CloudEvents source.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// The topic of events.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.0.topic
    }

    /// The topic of dead letters.
    #[must_use]
    pub fn dead_letter_topic(&self) -> &str {
        &self.0.dead_letter_topic
    }

    /// The connection for writing.
    #[must_use]
    pub fn database(&self) -> &DatabaseConnection {
        &self.0.database
    }

    /// Clock, ids and fault points.
    #[must_use]
    pub fn seams(&self) -> &Seams {
        &self.0.seams
    }

    /// Bounds and intervals.
    #[must_use]
    pub fn settings(&self) -> &MessagingSettings {
        &self.0.settings
    }

    /// Wakes the relay; called after a commit that appended rows.
    pub fn wake_relay(&self) {
        self.0.relay_wake.notify_one();
    }

    /// Resolves when somebody woke the relay since the last time.
    pub async fn relay_woken(&self) {
        self.0.relay_wake.notified().await;
    }
}
