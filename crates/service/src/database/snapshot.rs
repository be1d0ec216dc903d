//! Several statements that read one instant.

use sea_orm::{
    AccessMode, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, IsolationLevel,
    TransactionOptions, TransactionTrait,
};

/// Begins a transaction for reading: whatever is committed meanwhile, all its statements see the
/// database as it was at the first of them. Rows of two instants would contradict each other.
///
/// # Errors
/// Any failure of the store.
pub async fn read_snapshot(read: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let options = match read.get_database_backend() {
        DbBackend::Postgres => TransactionOptions {
            isolation_level: Some(IsolationLevel::RepeatableRead),
            access_mode: Some(AccessMode::ReadOnly),
            ..Default::default()
        },
        // SQLite's deferred transactions are snapshots already, and know no levels.
        _ => TransactionOptions::default(),
    };
    read.begin_with_options(options).await
}
