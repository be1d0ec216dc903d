//! A service's own database: SQLite or PostgreSQL, chosen by the URL.

mod connect;
mod error;
mod handle;
mod migrate;
mod settings;
mod snapshot;

pub use error::DatabaseError;
pub use handle::Database;
pub use settings::DatabaseSettings;
pub use snapshot::read_snapshot;
