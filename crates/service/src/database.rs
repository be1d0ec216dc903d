//! A service's own database: SQLite or PostgreSQL, chosen by the URL.

use std::{fmt, path::Path, time::Duration};

use sea_orm::{
    ConnectOptions, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
    sqlx::{
        postgres::PgConnectOptions,
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
    },
};
use sea_orm_migration::MigratorTrait;
use serde::{Deserialize, Serialize};

use crate::config::redact_url;

/// How long a PostgreSQL connection is waited for; a pool that stays empty longer is an outage.
const POSTGRES_ACQUIRE: Duration = Duration::from_secs(3);
/// How long SQLite's one writer is waited for: a queue, not an outage.
const SQLITE_ACQUIRE: Duration = Duration::from_secs(15);
/// How long SQLite waits for another process's lock.
const SQLITE_BUSY: Duration = Duration::from_secs(10);
const SQLITE_READERS: u32 = 4;
/// Key of the advisory lock under which migrations run: "oms" in ASCII.
const MIGRATION_LOCK: i64 = 0x6f_6d_73;

/// Where a service's data is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseSettings {
    /// `sqlite:path/to/file.db` or `postgres://user:password@host/database`.
    pub url: String,
    /// Connections of the PostgreSQL pool. SQLite has one writer and four readers.
    #[serde(default = "connections_max")]
    pub connections_max: u32,
}

fn connections_max() -> u32 {
    8
}

impl fmt::Debug for DatabaseSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DatabaseSettings")
            .field("url", &redact_url(&self.url))
            .field("connections_max", &self.connections_max)
            .finish()
    }
}

impl DatabaseSettings {
    /// The defaults, at `url`.
    pub fn at(url: impl Into<String>) -> Self {
        Self { url: url.into(), connections_max: connections_max() }
    }

    /// Every violation, as `key: what is wrong`; `at` is the path of this section.
    #[must_use]
    pub fn violations(&self, at: &str) -> Vec<String> {
        let mut found = Vec::new();
        if let Err(error) = Target::parse(&self.url) {
            found.push(format!("{at}.url: {error}"));
        }
        if self.connections_max == 0 {
            found.push(format!("{at}.connections_max: must be greater than zero"));
        }
        found
    }
}

/// Why a database cannot be used. Never shows a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// The URL is none, or none of a database we know.
    #[error("{url:?} is no database URL: {reason}")]
    Url {
        /// The URL without its password.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// The folder of the SQLite file cannot be made.
    #[error("cannot create the folder of {path:?}: {source}")]
    Folder {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// It cannot be reached.
    #[error("cannot open {url}: {source}")]
    Open {
        /// The URL without its password.
        url: String,
        /// What the driver said.
        source: DbErr,
    },
    /// A migration failed.
    #[error("migration failed: {0}")]
    Migrate(#[source] DbErr),
    /// It does not answer.
    #[error("does not answer: {0}")]
    Ping(#[source] DbErr),
}

impl DatabaseError {
    /// Whether the operator has to change a setting.
    #[must_use]
    pub fn is_setting(&self) -> bool {
        matches!(self, Self::Url { .. } | Self::Folder { .. })
    }
}

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
        match Target::parse(&settings.url)? {
            Target::Sqlite(options) => {
                let file = options.get_filename().to_owned();
                if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty())
                {
                    create_folder(folder, &file).await?;
                }
                let write = connect(sqlite(settings, (*options).clone(), 1)).await?;
                let readers = options.create_if_missing(false).pragma("query_only", "ON");
                let read = connect(sqlite(settings, readers, SQLITE_READERS)).await?;
                Ok(Self { write, read })
            }
            Target::Postgres => {
                let pool = connect(postgres(settings)).await?;
                Ok(Self { write: pool.clone(), read: pool })
            }
        }
    }

    /// Applies the migrations that are missing, all or none. Safe when several processes start at
    /// once: they take turns, and the later ones find nothing to do.
    ///
    /// # Errors
    /// [`DatabaseError::Migrate`]; nothing was changed then.
    pub async fn migrate<M: MigratorTrait>(&self) -> Result<(), DatabaseError> {
        self.migrate_in_turn::<M>().await.map_err(DatabaseError::Migrate)
    }

    async fn migrate_in_turn<M: MigratorTrait>(&self) -> Result<(), DbErr> {
        let immediate = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        let transaction = self.write.begin_with_options(immediate).await?;
        if self.backend() == DbBackend::Postgres {
            let lock = format!(
                "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; \
                 SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"
            );
            transaction.execute_unprepared(&lock).await?;
        }
        M::up(&transaction, None).await?;
        transaction.commit().await
    }

    /// Asks both sides for an answer.
    ///
    /// # Errors
    /// [`DatabaseError::Ping`].
    pub async fn ping(&self) -> Result<(), DatabaseError> {
        self.write.ping().await.map_err(DatabaseError::Ping)?;
        self.read.ping().await.map_err(DatabaseError::Ping)
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

enum Target {
    Sqlite(Box<SqliteConnectOptions>),
    Postgres,
}

impl Target {
    fn parse(url: &str) -> Result<Self, DatabaseError> {
        let wrong = |reason: String| DatabaseError::Url { url: redact_url(url), reason };
        if url.starts_with("sqlite:") {
            let options: SqliteConnectOptions =
                url.parse().map_err(|error: sea_orm::sqlx::Error| wrong(error.to_string()))?;
            if url.contains(":memory:") || url.contains("mode=memory") {
                return Err(wrong("a database in memory does not outlive a restart".to_owned()));
            }
            Ok(Self::Sqlite(Box::new(options)))
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            // The driver's own message may repeat the password.
            url.parse::<PgConnectOptions>().map_err(|_| wrong("malformed".to_owned()))?;
            Ok(Self::Postgres)
        } else {
            Err(wrong("expected sqlite:… or postgres://…".to_owned()))
        }
    }
}

async fn create_folder(folder: &Path, file: &Path) -> Result<(), DatabaseError> {
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
