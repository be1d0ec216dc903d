//! A fresh database per test: SQLite always, PostgreSQL when a server is named.

use std::panic::{AssertUnwindSafe, resume_unwind};

use futures::FutureExt;
use oms_messaging::migration;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection};
use sea_orm_migration::{MigrationTrait, MigratorTrait};

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        migration::migrations()
    }
}

async fn open(url: &str, connections: u32) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(connections).sqlx_logging(false);
    Database::connect(options).await.unwrap()
}

async fn prepare(database: &DatabaseConnection) {
    Migrator::up(database, None).await.unwrap();
    let applied = "CREATE TABLE applied (event TEXT NOT NULL, stream TEXT NOT NULL, \
                   n BIGINT NOT NULL, place BIGINT NOT NULL)";
    database.execute_unprepared(applied).await.unwrap();
}

#[allow(clippy::disallowed_methods, reason = "a test's own switch")]
fn server() -> Option<String> {
    std::env::var("OMS_TEST_POSTGRES").ok()
}

/// Runs a test on every kind of database there is, with `count` fresh ones.
pub(super) async fn everywhere(count: usize, test: impl AsyncFn(Vec<DatabaseConnection>)) {
    let folder = tempfile::tempdir().unwrap();
    let mut databases = Vec::new();
    for n in 0..count {
        let file = folder.path().join(format!("{n}.db"));
        let database = open(&format!("sqlite:{}?mode=rwc", file.display()), 1).await;
        database.execute_unprepared("PRAGMA journal_mode = WAL").await.unwrap();
        prepare(&database).await;
        databases.push(database);
    }
    test(databases).await;
    let Some(server) = server() else { return };
    let admin = open(&server, 1).await;
    let (mut names, mut databases) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let name = format!("messaging_{}", oms_seams::Ids::next(&oms_seams::SystemIds).simple());
        admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
        let base = server.rsplit_once('/').map_or(server.as_str(), |(base, _)| base);
        let database = open(&format!("{base}/{name}"), 4).await;
        prepare(&database).await;
        databases.push(database);
        names.push(name);
    }
    let tested = AssertUnwindSafe(test(databases)).catch_unwind().await;
    for name in names {
        let drop = format!("DROP DATABASE {name} WITH (FORCE)");
        admin.execute_unprepared(&drop).await.unwrap();
    }
    if let Err(panic) = tested {
        resume_unwind(panic);
    }
}
