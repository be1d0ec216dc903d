//! The migration that makes the table `idempotency`.

use sea_orm_migration::prelude::*;

use super::table::{Column, Entity};

/// The migrations of this module, oldest first, for a service's own list.
#[must_use]
pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(Create)]
}

struct Create;

impl MigrationName for Create {
    fn name(&self) -> &'static str {
        "idempotency_0001_table"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Create {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let text = |column: Column| ColumnDef::new(column).text().to_owned();
        let table = Table::create()
            .table(Entity)
            .col(text(Column::Scope).not_null())
            .col(text(Column::Key).not_null())
            .col(text(Column::Method).not_null())
            .col(text(Column::RequestHash).not_null())
            .col(ColumnDef::new(Column::Code).integer().null())
            .col(text(Column::Reason).null())
            .col(text(Column::Message).null())
            .col(ColumnDef::new(Column::Response).blob().null())
            .col(text(Column::PendingOn).null())
            .col(ColumnDef::new(Column::CreatedAt).big_integer().not_null())
            .primary_key(Index::create().col(Column::Scope).col(Column::Key))
            .to_owned();
        manager.create_table(table).await?;
        let connection = manager.get_connection();
        for index in [
            "CREATE INDEX idempotency_pending ON idempotency (pending_on) \
             WHERE pending_on IS NOT NULL",
            "CREATE INDEX idempotency_age ON idempotency (created_at)",
        ] {
            connection.execute_unprepared(index).await?;
        }
        Ok(())
    }
}
