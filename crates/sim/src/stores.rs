//! The four databases of a simulation: SQLite in memory, migrated once, emptied between two seeds.
//!
//! Each has one connection, for reading and writing alike, so that no two statements race. A
//! service that crashes keeps its database; what it had not committed is rolled back.

use anyhow::Context;
use oms_order::domain::Status;
use oms_service::Database;
use oms_testkit::invariants::Databases;
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, Statement};
use sea_orm_migration::MigratorTrait;

/// The databases, and how each is emptied.
#[derive(Debug)]
pub(crate) struct Stores {
    /// Order's.
    pub order: Database,
    /// Inventory's.
    pub inventory: Database,
    /// Payment's.
    pub payment: Database,
    /// The gateway's own.
    pub gateway: Database,
    empty: [String; 4],
}

impl Stores {
    /// Opens and migrates them.
    ///
    /// # Errors
    /// When SQLite fails.
    pub(crate) async fn open() -> anyhow::Result<Self> {
        let order = opened::<oms_order::migration::Migrator>().await?;
        let inventory = opened::<oms_inventory::migration::Migrator>().await?;
        let payment = opened::<oms_payment::migration::Migrator>().await?;
        let gateway = opened::<oms_payment::gateway::GatewayMigrator>().await?;
        let empty = [
            emptying(&order.write).await?,
            emptying(&inventory.write).await?,
            emptying(&payment.write).await?,
            emptying(&gateway.write).await?,
        ];
        Ok(Self { order, inventory, payment, gateway, empty })
    }

    /// Deletes every row.
    ///
    /// # Errors
    /// When SQLite fails.
    pub(crate) async fn clear(&self) -> anyhow::Result<()> {
        let all = [&self.order, &self.inventory, &self.payment, &self.gateway];
        for (database, statements) in all.into_iter().zip(&self.empty) {
            database.write.execute_unprepared(statements).await?;
        }
        Ok(())
    }

    /// The status of an order as its customer sees it; None while nobody can say.
    ///
    /// # Errors
    /// When SQLite fails.
    pub(crate) async fn status_of(&self, order: &str) -> anyhow::Result<Option<Status>> {
        let database = &self.order.read;
        let sql = "SELECT status FROM orders WHERE id = $1";
        let backend = database.get_database_backend();
        let look = Statement::from_sql_and_values(backend, sql, [order.into()]);
        let Some(row) = database.query_one_raw(look).await? else { return Ok(None) };
        let word: String = row.try_get_by_index(0)?;
        Ok(Status::parse(&word))
    }

    /// As the checks see them.
    #[must_use]
    pub(crate) fn seen(&self) -> Databases {
        Databases {
            order: self.order.read.clone(),
            inventory: self.inventory.read.clone(),
            payment: self.payment.read.clone(),
            gateway: self.gateway.read.clone(),
        }
    }
}

async fn opened<M: MigratorTrait>() -> anyhow::Result<Database> {
    let mut options = ConnectOptions::new("sqlite::memory:");
    options
        .max_connections(1)
        .min_connections(1)
        .idle_timeout(None::<std::time::Duration>)
        .max_lifetime(None::<std::time::Duration>)
        .test_before_acquire(false)
        .sqlx_logging(false);
    let connection = sea_orm::Database::connect(options).await.context("a database in memory")?;
    let database = Database { write: connection.clone(), read: connection };
    database.migrate::<M>().await?;
    Ok(database)
}

/// What empties a database: every table but the list of migrations, and the counters of rows.
async fn emptying(database: &DatabaseConnection) -> anyhow::Result<String> {
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'seaql_migrations' \
               AND (name NOT LIKE 'sqlite_%' OR name = 'sqlite_sequence')";
    let statement = Statement::from_string(database.get_database_backend(), sql);
    let mut statements = String::new();
    for row in database.query_all_raw(statement).await? {
        let name: String = row.try_get_by_index(0)?;
        statements.push_str(&format!("DELETE FROM {name};"));
    }
    Ok(statements)
}
