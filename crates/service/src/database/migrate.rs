//! Bringing a database up to date, by whoever has the right to.

use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, RuntimeErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait, sqlx,
};
use sea_orm_migration::MigratorTrait;

use super::{error::DatabaseError, handle::Database};

/// Key of the advisory lock under which migrations run: "oms" in ASCII.
const MIGRATION_LOCK: i64 = 0x6f_6d_73;

/// PostgreSQL's `insufficient_privilege`; source: its manual, appendix A.
const NO_RIGHT: &str = "42501";

impl Database {
    /// Applies the migrations that are missing, all or none. Safe when several processes start at
    /// once: they take turns, and the later ones find nothing to do. Where nothing is missing,
    /// nothing but reading is done, so that a role without any right to change tables will do.
    ///
    /// # Errors
    /// [`DatabaseError::NoRight`] when something is missing and the role may not change tables,
    /// else [`DatabaseError::Migrate`]; nothing was changed then.
    pub async fn migrate<M: MigratorTrait>(&self) -> Result<(), DatabaseError> {
        let missing = M::get_pending_migrations_read_only(&self.write).await;
        let missing = missing.map_err(DatabaseError::Migrate)?;
        if missing.is_empty() {
            return Ok(());
        }
        self.migrate_in_turn::<M>().await.map_err(|error| {
            if lacks_right(&error) {
                let missing = missing.iter().map(|one| one.name().to_owned()).collect();
                return DatabaseError::NoRight { missing };
            }
            DatabaseError::Migrate(error)
        })
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
}

fn lacks_right(error: &DbErr) -> bool {
    let (DbErr::Conn(runtime) | DbErr::Exec(runtime) | DbErr::Query(runtime)) = error else {
        return false;
    };
    let RuntimeErr::SqlxError(error) = runtime else { return false };
    let sqlx::Error::Database(refusal) = error.as_ref() else { return false };
    refusal.code().is_some_and(|code| code == NO_RIGHT)
}
