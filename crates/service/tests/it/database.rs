//! Opening and migrating, on every database there is.

use oms_service::{
    Database, DatabaseSettings, StartError, read_snapshot,
    testing::{Backend, TestDatabase, backends},
};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use sea_orm_migration::prelude::*;

use crate::support::{host, soon};

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(Things)]
    }
}

struct Things;

impl MigrationName for Things {
    fn name(&self) -> &'static str {
        "things"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Things {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        connection.execute_unprepared("CREATE TABLE things (id BIGINT PRIMARY KEY)").await?;
        connection.execute_unprepared("INSERT INTO things VALUES (1)").await?;
        Ok(())
    }
}

struct Broken;

impl MigratorTrait for Broken {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(Things), Box::new(Fails)]
    }
}

struct Fails;

impl MigrationName for Fails {
    fn name(&self) -> &'static str {
        "fails"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Fails {
    async fn up(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Custom("as asked".to_owned()))
    }
}

async fn number(conn: &impl ConnectionTrait, sql: &str) -> i64 {
    let statement = Statement::from_string(conn.get_database_backend(), sql.to_owned());
    conn.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

#[tokio::test]
async fn two_processes_may_migrate_at_once() {
    for backend in backends() {
        let one = TestDatabase::empty(&backend).await;
        let (two, three) = (one.reopen().await, one.reopen().await);
        let (a, b, c) = tokio::join!(
            one.database.migrate::<Migrator>(),
            two.migrate::<Migrator>(),
            three.migrate::<Migrator>()
        );
        a.unwrap();
        b.unwrap();
        c.unwrap();
        assert_eq!(number(&two.read, "SELECT count(*) FROM things").await, 1);
    }
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_behind() {
    for backend in backends() {
        let test = TestDatabase::empty(&backend).await;
        let error = test.database.migrate::<Broken>().await.unwrap_err();
        assert!(error.to_string().contains("as asked"), "{error}");
        test.database.migrate::<Migrator>().await.unwrap();
        assert_eq!(number(&test.database.read, "SELECT count(*) FROM things").await, 1);
    }
}

/// A role that may read and write what there is, and a URL with it.
async fn servant(test: &TestDatabase) -> (String, DatabaseSettings) {
    let url = &test.settings().url;
    let (name, role) = (url.rsplit('/').next().unwrap(), url.rsplit('_').next().unwrap());
    let role = format!("servant_{role}");
    let sql = format!(
        "CREATE ROLE {role} LOGIN PASSWORD 'secret'; \
         REVOKE CREATE ON SCHEMA public FROM PUBLIC; \
         ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}; \
         ALTER DEFAULT PRIVILEGES GRANT USAGE ON SEQUENCES TO {role}"
    );
    test.database.write.execute_unprepared(&sql).await.unwrap();
    let (_, server) = url.split_once('@').unwrap();
    assert!(server.ends_with(name));
    let settings = DatabaseSettings::at(format!("postgres://{role}:secret@{server}"));
    (role, settings)
}

#[tokio::test]
async fn a_role_that_may_not_change_tables_serves_and_says_who_has_to_migrate() {
    for backend in backends() {
        if backend == Backend::Sqlite {
            // No roles there: who may write the file may do everything.
            continue;
        }
        let test = TestDatabase::empty(&backend).await;
        let (role, settings) = servant(&test).await;
        let serving = Database::open(&settings).await.unwrap();
        let error = serving.migrate::<Migrator>().await.unwrap_err().to_string();
        let expected = "may not change tables, and 1 migration (things) is missing";
        assert!(error.contains(expected) && error.contains("`migrate`"), "{error}");
        test.database.migrate::<Migrator>().await.unwrap();
        serving.migrate::<Migrator>().await.unwrap();
        serving.write.execute_unprepared("INSERT INTO things VALUES (2)").await.unwrap();
        assert_eq!(number(&serving.read, "SELECT count(*) FROM things").await, 2);
        let change = "CREATE TABLE more (id BIGINT)";
        serving.write.execute_unprepared(change).await.unwrap_err();
        serving.close().await;
        let gone = format!("DROP OWNED BY {role}; DROP ROLE {role}");
        test.database.write.execute_unprepared(&gone).await.unwrap();
    }
}

#[tokio::test]
async fn data_outlives_a_restart() {
    for backend in backends() {
        let test = TestDatabase::migrated::<Migrator>(&backend).await;
        let write = "INSERT INTO things VALUES (2)";
        test.database.write.execute_unprepared(write).await.unwrap();
        let again = test.reopen().await;
        again.ping().await.unwrap();
        assert_eq!(number(&again.read, "SELECT count(*) FROM things").await, 2);
        again.close().await;
    }
}

#[tokio::test]
async fn sqlite_is_durable_queues_writers_and_keeps_readers_from_writing() {
    let test = TestDatabase::migrated::<Migrator>(&Backend::Sqlite).await;
    let Database { write, read } = &test.database;
    assert_eq!(test.database.backend(), DbBackend::Sqlite);
    let mode = Statement::from_string(DbBackend::Sqlite, "PRAGMA journal_mode");
    let mode: String =
        write.query_one_raw(mode).await.unwrap().unwrap().try_get_by_index(0).unwrap();
    assert_eq!(mode, "wal");
    const FULL: i64 = 2;
    assert_eq!(number(write, "PRAGMA synchronous").await, FULL);
    assert_eq!(number(write, "PRAGMA foreign_keys").await, 1);
    assert!(number(write, "PRAGMA busy_timeout").await >= 5_000);
    assert_eq!(write.get_sqlite_connection_pool().options().get_max_connections(), 1);
    assert_eq!(read.get_sqlite_connection_pool().options().get_max_connections(), 4);
    let refused = read.execute_unprepared("INSERT INTO things VALUES (2)").await.unwrap_err();
    assert!(refused.to_string().contains("readonly"), "{refused}");
}

#[tokio::test]
async fn the_folder_of_a_sqlite_file_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("deep/er/order.db");
    let settings = DatabaseSettings::at(format!("sqlite:{}", file.display()));
    Database::open(&settings).await.unwrap();
    assert!(file.exists());
}

#[tokio::test]
async fn a_database_that_cannot_be_opened_says_so_without_the_password() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("postgres://oms:hunter2@{closed}/order");
    let settings = DatabaseSettings::at(url);
    assert!(settings.violations("order.database").is_empty());
    let error = soon("an error", Database::open(&settings)).await.unwrap_err();
    let text = format!("{error} {error:?} {settings:?}");
    assert!(text.contains("postgres://oms:***@"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
    assert!(!error.is_setting());
    let error = StartError::database("order.database.url", error);
    assert_eq!(error.exit_code(), 4, "another start may find it");
}

/// Opens and migrates; how a start would fail.
async fn refused(file: &std::path::Path) -> StartError {
    let settings = DatabaseSettings::at(format!("sqlite:{}", file.display()));
    let started = async { Database::open(&settings).await?.migrate::<Migrator>().await };
    let error = soon("an error", started).await.unwrap_err();
    StartError::database("order.database.url", error)
}

#[tokio::test]
async fn a_damaged_file_is_told_with_what_to_do_and_is_no_outage() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("order.db");
    let settings = DatabaseSettings::at(format!("sqlite:{}", file.display()));
    let database = Database::open(&settings).await.unwrap();
    database.migrate::<Migrator>().await.unwrap();
    database.close().await;
    let whole = std::fs::read(&file).unwrap();
    // A file of something else, and one whose header alone has survived.
    for kept in [0, 100] {
        let mut damaged = whole.clone();
        damaged[kept..].fill(0xa5);
        std::fs::write(&file, &damaged).unwrap();
        let error = refused(&file).await;
        let text = error.to_string();
        assert!(text.starts_with("order.database.url: "), "{text}");
        assert!(text.contains("damaged") && text.contains("restore a backup"), "{text}");
        assert_eq!(error.exit_code(), 5, "{text}");
    }
}

#[test]
fn a_url_that_is_none_is_a_violation_that_names_its_key() {
    for wrong in ["", "order.db", "mysql://x", "sqlite::memory:", "postgres://u:hunter2@h:port/d"] {
        let found = DatabaseSettings::at(wrong).violations("order.database");
        assert_eq!(found.len(), 1, "{wrong:?}");
        assert!(found[0].starts_with("order.database.url: "), "{found:?}");
        assert!(!found[0].contains("hunter2"), "{found:?}");
    }
    let none = DatabaseSettings { connections_max: 0, ..DatabaseSettings::at("sqlite:x.db") };
    assert_eq!(none.violations("a"), ["a.connections_max: must be greater than zero"]);
}

#[tokio::test]
async fn a_watched_database_keeps_its_component_up_to_date() {
    let test = TestDatabase::empty(&Backend::Sqlite).await;
    let host = host();
    let component = host.health().component("database");
    let watch = test.database.clone().keep_watch(component, host.workers());
    host.tasks().spawn("database", watch);
    soon("up", host.ready(crate::support::PATIENCE)).await.unwrap();
    soon("the watch ends with the workers", host.drain(crate::support::PATIENCE)).await;
    assert!(host.process().failed().reason().is_none());
}

#[tokio::test]
async fn postgres_answers_in_time_or_not_at_all() {
    for backend in backends() {
        if let Backend::Postgres(_) = backend {
            let test = TestDatabase::empty(&backend).await;
            for (setting, milliseconds) in [("statement_timeout", 10_000), ("lock_timeout", 5_000)]
            {
                let sql =
                    format!("SELECT setting::bigint FROM pg_settings WHERE name = '{setting}'");
                assert_eq!(number(&test.database.write, &sql).await, milliseconds);
            }
        }
    }
}

#[tokio::test]
async fn a_snapshot_shows_one_instant_whatever_is_committed_meanwhile() {
    for backend in backends() {
        let test = TestDatabase::migrated::<Migrator>(&backend).await;
        let (read, write) = (&test.database.read, &test.database.write);
        let snapshot = read_snapshot(read).await.unwrap();
        assert_eq!(things(&snapshot).await, 1);
        write.execute_unprepared("INSERT INTO things VALUES (2)").await.unwrap();
        assert_eq!(things(&snapshot).await, 1, "{backend:?}");
        snapshot.commit().await.unwrap();
        assert_eq!(things(read).await, 2);
    }
}

async fn things(conn: &impl ConnectionTrait) -> i64 {
    let count = Statement::from_string(conn.get_database_backend(), "SELECT count(*) FROM things");
    conn.query_one_raw(count).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}
