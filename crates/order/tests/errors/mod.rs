//! Every request of `oms.v1.OrderService` × every refusal it can meet, as `docs/errors.md` tells
//! it.
//!
//! A new rpc brings a function in a file of its own beside the others, and its line in
//! [`refusals`]; then `write_the_page` writes its rows.

mod create_order;
mod keys;
mod later;
mod lists;
mod runs;
pub(crate) mod stage;
mod watches;
pub(crate) mod wishes;

use oms_service::testing::RefusalTable;

use self::stage::Stage;

/// Provokes each refusal once, and sees that those that begin nothing change nothing.
async fn refusals() -> RefusalTable {
    let mut stage = Stage::set().await;
    create_order::refused(&mut stage).await;
    wishes::get_order(&mut stage).await;
    wishes::pay_order(&mut stage).await;
    wishes::cancel_order(&mut stage).await;
    wishes::refund_order(&mut stage).await;
    later::ship_order(&mut stage).await;
    later::complete_order(&mut stage).await;
    lists::list_orders(&mut stage).await;
    keys::running(&mut stage).await;
    watches::watch_order(&mut stage).await;
    // From here on runs are open, or the database is away.
    runs::refund_order(&mut stage).await;
    runs::too_many_wait(&mut stage).await;
    runs::ship_order(&mut stage).await;
    runs::database_away(stage).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_tells_what_each_method_may_be_refused_with() {
    refusals().await.check();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "writes the page; run it by name when a change of the refusals is meant"]
async fn write_the_page() {
    refusals().await.write();
}
