//! Forgets old keys.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use oms_seams::Clock;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::table::{Column, Entity};

/// How long keys are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct IdempotencySettings {
    /// How long an answer is kept, in hours; at least 24.
    pub keep_hours: u32,
    /// How often old ones are looked for, in milliseconds.
    pub sweep_ms: u64,
    /// Keys forgotten in one statement.
    pub sweep_batch_max: u64,
}

impl Default for IdempotencySettings {
    fn default() -> Self {
        Self { keep_hours: 48, sweep_ms: 60_000, sweep_batch_max: 500 }
    }
}

impl IdempotencySettings {
    /// Every violation, as `key: what is wrong`; `at` is the path of this section.
    #[must_use]
    pub fn violations(&self, at: &str) -> Vec<String> {
        let mut found = Vec::new();
        if self.keep_hours < 24 {
            found.push(format!("{at}.keep_hours: must be at least 24"));
        }
        for (key, value) in [("sweep_ms", self.sweep_ms), ("sweep_batch_max", self.sweep_batch_max)]
        {
            if value == 0 {
                found.push(format!("{at}.{key}: must be greater than zero"));
            }
        }
        found
    }
}

/// Forgets at most a batch of keys that are too old; how many it were. A key whose answer is still
/// to come stays.
///
/// # Errors
/// Any failure of the store.
pub async fn sweep(
    conn: &impl ConnectionTrait,
    now: DateTime<Utc>,
    settings: &IdempotencySettings,
) -> Result<u64, DbErr> {
    let before = (now - TimeDelta::hours(i64::from(settings.keep_hours))).timestamp_micros();
    let old = Entity::find()
        .filter(Column::CreatedAt.lt(before))
        .filter(Column::PendingOn.is_null())
        .order_by_asc(Column::CreatedAt)
        .limit(settings.sweep_batch_max)
        .all(conn)
        .await?;
    let mut forgotten = 0;
    for row in old {
        let deleted = Entity::delete_many()
            .filter(Column::Scope.eq(row.scope))
            .filter(Column::Key.eq(row.key))
            // Claimed anew meanwhile: no longer old.
            .filter(Column::CreatedAt.eq(row.created_at))
            .exec(conn)
            .await?;
        forgotten += deleted.rows_affected;
    }
    Ok(forgotten)
}

/// Sweeps until `stop`. A failure of the store is logged and the sweep tried again later.
///
/// # Errors
/// Never; the type fits [`crate::Tasks::spawn`].
pub async fn run_sweeper(
    database: DatabaseConnection,
    clock: Arc<dyn Clock>,
    settings: IdempotencySettings,
    stop: CancellationToken,
) -> Result<(), DbErr> {
    let pause = Duration::from_millis(settings.sweep_ms);
    while stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
        loop {
            match sweep(&database, clock.now(), &settings).await {
                Ok(forgotten) if forgotten >= settings.sweep_batch_max => {}
                Ok(_) => break,
                Err(error) => {
                    tracing::warn!(%error, "old idempotency keys could not be forgotten");
                    break;
                }
            }
        }
    }
    Ok(())
}
