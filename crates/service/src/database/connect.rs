//! Opens the connections, with what durability and concurrency ask for.

use std::{path::Path, time::Duration};

use sea_orm::{
    ConnectOptions, DatabaseConnection,
    sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::{
    error::DatabaseError,
    settings::{DatabaseSettings, Target},
};
use crate::config::redact_url;

/// How long a PostgreSQL connection is waited for; a pool that stays empty longer is an outage.
const POSTGRES_ACQUIRE: Duration = Duration::from_secs(3);
/// How long SQLite's one writer is waited for: a queue, not an outage.
const SQLITE_ACQUIRE: Duration = Duration::from_secs(15);
/// How long SQLite waits for another process's lock.
const SQLITE_BUSY: Duration = Duration::from_secs(10);
const SQLITE_READERS: u32 = 4;

/// The connections for writing and for reading.
pub(super) async fn both(
    settings: &DatabaseSettings,
) -> Result<(DatabaseConnection, DatabaseConnection), DatabaseError> {
    match Target::parse(&settings.url)? {
        Target::Sqlite(file) => {
            create_folder(file.get_filename()).await?;
            let write = connect(sqlite(settings, (*file).clone(), 1)).await?;
            let readers = file.pragma("query_only", "ON");
            let read = connect(sqlite(settings, readers, SQLITE_READERS)).await?;
            Ok((write, read))
        }
        Target::Postgres => {
            let pool = connect(postgres(settings)).await?;
            Ok((pool.clone(), pool))
        }
    }
}

async fn create_folder(file: &Path) -> Result<(), DatabaseError> {
    let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) else {
        return Ok(());
    };
    tokio::fs::create_dir_all(folder)
        .await
        .map_err(|source| DatabaseError::Folder { path: file.display().to_string(), source })
}

async fn connect(options: ConnectOptions) -> Result<DatabaseConnection, DatabaseError> {
    let url = redact_url(options.get_url());
    sea_orm::Database::connect(options).await.map_err(|source| DatabaseError::Open { url, source })
}

fn sqlite(
    settings: &DatabaseSettings,
    file: SqliteConnectOptions,
    connections: u32,
) -> ConnectOptions {
    let file = file
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(SQLITE_BUSY)
        .foreign_keys(true);
    let mut options = ConnectOptions::new(settings.url.clone());
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(SQLITE_ACQUIRE)
        .idle_timeout(None::<Duration>)
        .max_lifetime(None::<Duration>)
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |_| file.clone());
    options
}

fn postgres(settings: &DatabaseSettings) -> ConnectOptions {
    let mut options = ConnectOptions::new(settings.url.clone());
    options
        .max_connections(settings.connections_max)
        .acquire_timeout(POSTGRES_ACQUIRE)
        .connect_timeout(POSTGRES_ACQUIRE)
        .sqlx_logging(false)
        .map_sqlx_postgres_opts(|server| {
            server.application_name("oms").options([
                ("statement_timeout", "10s"),
                ("lock_timeout", "5s"),
                ("idle_in_transaction_session_timeout", "30s"),
            ])
        });
    options
}
