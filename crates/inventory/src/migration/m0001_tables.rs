//! Stock, reservations, holds and the ledger of movements.

use sea_orm_migration::{prelude::*, sea_orm::DatabaseBackend};

use crate::domain::{MovementKind, Status};

pub(super) struct Tables;

impl MigrationName for Tables {
    fn name(&self) -> &'static str {
        "inventory_0001_tables"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Tables {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        for table in [stock(backend), reservations(), holds(), movements()] {
            manager.create_table(table).await?;
        }
        let connection = manager.get_connection();
        for index in [
            "CREATE INDEX reservations_due ON reservations (expires_at, order_id) \
             WHERE status = 'HELD' AND expired_at IS NULL",
            "CREATE INDEX movements_sku ON movements (sku, id)",
            "CREATE INDEX movements_order ON movements (order_id) WHERE order_id IS NOT NULL",
        ] {
            connection.execute_unprepared(index).await?;
        }
        Ok(())
    }
}

fn text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().not_null().take()
}

fn big(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().take()
}

/// A column that is never negative (I1).
fn count(name: &'static str) -> ColumnDef {
    big(name).check(Expr::col(name).gte(0)).take()
}

fn table(name: &'static str, columns: impl IntoIterator<Item = ColumnDef>) -> TableCreateStatement {
    let mut table = Table::create().table(name).take();
    for column in columns {
        table.col(column);
    }
    table
}

fn stock(backend: DatabaseBackend) -> TableCreateStatement {
    let mut sku = text("sku").primary_key().take();
    if backend == DatabaseBackend::Postgres {
        // Byte order, as on SQLite and in Rust: the order of locks and of pages.
        sku.extra("COLLATE \"C\"");
    }
    table(
        "stock",
        [
            sku,
            count("available"),
            count("held"),
            count("committed"),
            count("shipped"),
            big("updated_at"),
        ],
    )
}

fn reservations() -> TableCreateStatement {
    let revision = |name| ColumnDef::new(name).integer().not_null().take();
    table(
        "reservations",
        [
            text("order_id").primary_key().take(),
            text("status").check(Expr::col("status").is_in(Status::ALL.map(Status::name))).take(),
            revision("answered_revision"),
            revision("settled_revision"),
            ColumnDef::new("expires_at").big_integer().null().take(),
            ColumnDef::new("expired_at").big_integer().null().take(),
            ColumnDef::new("saga_id").text().null().take(),
            ColumnDef::new("traceparent").text().null().take(),
            big("created_at"),
            big("updated_at"),
        ],
    )
}

fn holds() -> TableCreateStatement {
    let positive = big("qty").check(Expr::col("qty").gt(0)).take();
    let key = Index::create().col("order_id").col("sku").take();
    table("holds", [text("order_id"), text("sku"), positive]).primary_key(&mut key.clone()).take()
}

fn movements() -> TableCreateStatement {
    let kinds = MovementKind::ALL.map(MovementKind::name);
    table(
        "movements",
        [
            ColumnDef::new("id").big_integer().not_null().auto_increment().primary_key().take(),
            text("sku"),
            text("kind").check(Expr::col("kind").is_in(kinds)).take(),
            ColumnDef::new("order_id").text().null().take(),
            big("qty"),
            text("note"),
            big("created_at"),
        ],
    )
}
