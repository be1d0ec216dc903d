//! Databases for tests: a fresh one each, gone with the test. Beside them, what tests of a gRPC
//! port need: the table of refusals, counts of rows, and calls that no generated client makes.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test helper fails by panicking")]

mod raw;
mod refusals;
mod rows;

use std::{fmt, sync::OnceLock};

use sea_orm::{ConnectionTrait, Database as Orm};
use sea_orm_migration::MigratorTrait;
use tempfile::TempDir;
use uuid::Uuid;

use crate::{
    config,
    database::{Database, DatabaseSettings},
};

pub use raw::{call_over, call_raw, framed};
pub use refusals::RefusalTable;
pub use rows::count_rows;

/// Gives the spans of this process their traces, as a binary does, and logs nothing. The subscriber
/// is a global of the process: only the first call of a test binary sets it up.
///
/// # Panics
/// When the process has another subscriber.
pub fn traced() {
    static GUARD: OnceLock<oms_telemetry::Guard> = OnceLock::new();
    let quiet = oms_telemetry::LogSettings { level: "off".to_owned(), ..Default::default() };
    let traces = oms_telemetry::TraceSettings::default();
    GUARD.get_or_init(|| oms_telemetry::init(&quiet, &traces, &[]).expect("the subscriber"));
}

/// A kind of database that tests run on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Backend {
    /// A file in a temporary folder.
    Sqlite,
    /// A database of its own on the server at this URL.
    Postgres(String),
}

/// SQLite, and PostgreSQL where `OMS_TEST_POSTGRES` names a server.
#[must_use]
pub fn backends() -> Vec<Backend> {
    let mut all = vec![Backend::Sqlite];
    all.extend(config::test_postgres().map(Backend::Postgres));
    all
}

/// A fresh database; dropped with this value.
pub struct TestDatabase {
    /// The open database.
    pub database: Database,
    settings: DatabaseSettings,
    keeper: Keeper,
}

enum Keeper {
    Folder { _folder: TempDir },
    Server { url: String, name: String },
}

impl fmt::Debug for TestDatabase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TestDatabase").field("settings", &self.settings).finish()
    }
}

impl TestDatabase {
    /// A fresh, empty database on `backend`.
    pub async fn empty(backend: &Backend) -> Self {
        let (settings, keeper) = match backend {
            Backend::Sqlite => {
                let folder = tempfile::tempdir().expect("a temporary folder");
                let url = format!("sqlite:{}", folder.path().join("test.db").display());
                (DatabaseSettings::at(url), Keeper::Folder { _folder: folder })
            }
            Backend::Postgres(server) => {
                let name = format!("oms_test_{}", fresh());
                administer(server, &format!("CREATE DATABASE {name}")).await;
                let url = with_database(server, &name);
                (DatabaseSettings::at(url), Keeper::Server { url: server.clone(), name })
            }
        };
        let database = Database::open(&settings).await.expect("a test database");
        Self { database, settings, keeper }
    }

    /// A fresh database on `backend` with all migrations of `M`.
    pub async fn migrated<M: MigratorTrait>(backend: &Backend) -> Self {
        let fresh = Self::empty(backend).await;
        fresh.database.migrate::<M>().await.expect("migrations");
        fresh
    }

    /// Where it is, to open it once more.
    #[must_use]
    pub fn settings(&self) -> &DatabaseSettings {
        &self.settings
    }

    /// Opens it once more, as another process or a restart would.
    pub async fn reopen(&self) -> Database {
        Database::open(&self.settings).await.expect("the database once more")
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Keeper::Server { url, name } = &self.keeper else { return };
        let (url, drop) = (url.clone(), format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        // A runtime of its own: the test's may be gone or have one thread.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(administer(&url, &drop));
        });
        let _ = dropped.join();
    }
}

#[allow(clippy::disallowed_methods, reason = "a name for a database, seen by no code under test")]
fn fresh() -> String {
    Uuid::now_v7().simple().to_string()
}

async fn administer(server: &str, statement: &str) {
    let connection = Orm::connect(server).await.expect("the PostgreSQL server");
    connection.execute_unprepared(statement).await.expect("an administrator's right");
    connection.close().await.expect("a close");
}

/// The same server's URL with another database.
fn with_database(server: &str, name: &str) -> String {
    let (base, query) = match server.split_once('?') {
        Some((base, query)) => (base, format!("?{query}")),
        None => (server, String::new()),
    };
    let start = base.find("://").map_or(0, |at| at + 3);
    let host = base[start..].find('/').map_or(base, |at| &base[..start + at]);
    format!("{host}/{name}{query}")
}
