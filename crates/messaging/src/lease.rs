//! A lease: one process at a time does a job. Losing it in between is harmless, because every job
//! that takes one is right even when done twice; the lease only saves the work.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ConnectionTrait;

use crate::{Failure, Messaging, sql::statement};

/// A lease on a job of one service, for example `relay`.
#[derive(Debug)]
pub struct Lease {
    messaging: Messaging,
    name: String,
    owner: String,
    renewed_at: Option<DateTime<Utc>>,
}

impl Lease {
    /// A lease not yet held. Each value is an owner of its own.
    #[must_use]
    pub fn new(messaging: Messaging, name: &str) -> Self {
        let owner = messaging.seams().ids.next().to_string();
        Self { messaging, name: name.to_owned(), owner, renewed_at: None }
    }

    /// Whether it is held now: takes it when it is free or run out, renews it when half of its
    /// time has passed, and otherwise costs nothing.
    ///
    /// # Errors
    /// Any failure of the store; the lease counts as not held then.
    pub async fn hold(&mut self) -> Result<bool, Failure> {
        let now = self.messaging.seams().clock.now();
        let lasts = i64::try_from(self.messaging.settings().lease_ms).unwrap_or(i64::MAX / 2_000);
        let half = TimeDelta::milliseconds(lasts / 2);
        if self.renewed_at.is_some_and(|at| at <= now && now < at + half) {
            return Ok(true);
        }
        self.renewed_at = None;
        let database = self.messaging.database();
        let now_micros = now.timestamp_micros();
        let taken = database
            .execute_raw(statement(
                database.get_database_backend(),
                "INSERT INTO leases (name, owner, expires_at) VALUES ($1, $2, $3) \
                 ON CONFLICT (name) DO UPDATE \
                 SET owner = excluded.owner, expires_at = excluded.expires_at \
                 WHERE leases.owner = excluded.owner OR leases.expires_at <= $4",
                [
                    self.name.clone().into(),
                    self.owner.clone().into(),
                    now_micros.saturating_add(lasts.saturating_mul(1_000)).into(),
                    now_micros.into(),
                ],
            ))
            .await?;
        if taken.rows_affected() > 0 {
            self.renewed_at = Some(now);
        }
        Ok(self.renewed_at.is_some())
    }

    /// Gives it back, so that the next holder need not wait for it to run out. When the store is
    /// away it runs out by itself.
    pub async fn release(&mut self) {
        if self.renewed_at.take().is_none() {
            return;
        }
        let database = self.messaging.database();
        let given_back = database
            .execute_raw(statement(
                database.get_database_backend(),
                "DELETE FROM leases WHERE name = $1 AND owner = $2",
                [self.name.clone().into(), self.owner.clone().into()],
            ))
            .await;
        if let Err(error) = given_back {
            tracing::debug!(lease = self.name, %error, "lease left to run out");
        }
    }
}
