//! Connections to a database that is open.

use std::time::Duration;

use sea_orm::{DatabaseConnection, DbBackend};
use tokio_util::sync::CancellationToken;

use super::{connect, error::DatabaseError, settings::DatabaseSettings};
use crate::health::Component;

/// How often a watched database is asked.
const WATCH_EVERY: Duration = Duration::from_secs(2);
/// How long its answer may take: longer than a queue before SQLite's one writer.
const WATCH_MAX: Duration = Duration::from_secs(10);

/// Connections to a service's own database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Database {
    /// For writing: on SQLite one connection, so that writers queue here and not in the file.
    pub write: DatabaseConnection,
    /// For reading alone; on PostgreSQL the same pool.
    pub read: DatabaseConnection,
}

impl Database {
    /// Opens the database; a SQLite file and its folder are created.
    ///
    /// # Errors
    /// When the URL is none or the database cannot be reached.
    pub async fn open(settings: &DatabaseSettings) -> Result<Self, DatabaseError> {
        let (write, read) = connect::both(settings).await?;
        Ok(Self { write, read })
    }

    /// Asks both sides for an answer.
    ///
    /// # Errors
    /// [`DatabaseError::Ping`].
    pub async fn ping(&self) -> Result<(), DatabaseError> {
        self.write.ping().await.map_err(DatabaseError::Ping)?;
        self.read.ping().await.map_err(DatabaseError::Ping)
    }

    /// Keeps `component` at what the database says, until `stop`.
    ///
    /// # Errors
    /// Never; the type fits [`crate::Tasks::spawn`].
    pub async fn keep_watch(
        self,
        component: Component,
        stop: CancellationToken,
    ) -> Result<(), DatabaseError> {
        let watching = async {
            loop {
                match tokio::time::timeout(WATCH_MAX, self.ping()).await {
                    Ok(answer) => component.tell(answer),
                    Err(_) => component.down(format!("no answer in {} s", WATCH_MAX.as_secs())),
                }
                tokio::time::sleep(WATCH_EVERY).await;
            }
        };
        // A question under way is given up: a database that hangs must not hold up a drain.
        let _stopped = stop.run_until_cancelled(watching).await;
        Ok(())
    }

    /// Which database it is.
    #[must_use]
    pub fn backend(&self) -> DbBackend {
        self.write.get_database_backend()
    }

    /// Closes all connections.
    pub async fn close(self) {
        for pool in [self.read, self.write] {
            if let Err(error) = pool.close().await {
                tracing::debug!(%error, "a database did not close cleanly");
            }
        }
    }
}
