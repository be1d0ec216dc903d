//! Indexes in the order of ListOrders, newest first, one for each filter: the cost of a page does
//! not depend on how many orders there are. They cover the orders that exist already. Each is made
//! so that only its own list can use it (`queries/list.rs`).
//!
//! Each may be there already: an operator makes them beforehand where making them here would keep
//! writers waiting (docs/operations.md).

use sea_orm_migration::prelude::*;

pub(super) struct Lists;

impl MigrationName for Lists {
    fn name(&self) -> &'static str {
        "order_0003_lists"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Lists {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        for index in [
            // True of every order, and said by the list without filters alone: no other list may
            // walk all orders because a planner takes that for cheap.
            "CREATE INDEX IF NOT EXISTS orders_newest ON orders (created_at, id) \
             WHERE version > 0",
            "CREATE INDEX IF NOT EXISTS orders_customer \
             ON orders (customer_id, created_at, id)",
            "CREATE INDEX IF NOT EXISTS orders_shown \
             ON orders (shown_status, created_at, id)",
            // One key for both, so that neither of the two above looks good enough.
            "CREATE INDEX IF NOT EXISTS orders_customer_shown \
             ON orders ((customer_id || ' ' || shown_status), created_at, id)",
            // Most orders have none.
            "CREATE INDEX IF NOT EXISTS orders_reference \
             ON orders (reference, created_at, id) WHERE reference <> ''",
        ] {
            connection.execute_unprepared(index).await?;
        }
        Ok(())
    }
}
