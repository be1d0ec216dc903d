//! How amendments ended, for whoever asked for them.

use sea_orm_migration::prelude::*;

pub(super) struct Amendments;

impl MigrationName for Amendments {
    fn name(&self) -> &'static str {
        "order_0004_amendments"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Amendments {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = |name: &str| ColumnDef::new(Alias::new(name)).not_null().take();
        let mut key = Index::create();
        key.col(Alias::new("order_id")).col(Alias::new("revision"));
        let table = Table::create()
            .table(Alias::new("amendments"))
            .col(column("order_id").text())
            .col(column("revision").integer())
            .col(column("outcome").text())
            .col(column("ended_at").big_integer())
            .primary_key(&mut key)
            .take();
        manager.create_table(table).await
    }
}
