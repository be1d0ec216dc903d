//! What an order knows of its shipment.

use sea_orm_migration::prelude::*;

pub(super) struct Shipping;

impl MigrationName for Shipping {
    fn name(&self) -> &'static str {
        "order_0002_shipping"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Shipping {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // With a default: an instance of the release before, which is still running, inserts
        // without it.
        let dispatched =
            ColumnDef::new(Alias::new("dispatched")).boolean().not_null().default(false).take();
        let orders = Table::alter().table(Alias::new("orders")).add_column(dispatched).take();
        manager.alter_table(orders).await
    }
}
