//! Calls of the command.

use std::time::Duration;

use oms_order::{
    commands::{
        Change, CommandError, Context, EditOrder, Edited, Expected, Keyed, Patience, Reply,
        WantedLine, edit_order,
    },
    domain::Order,
    store::load_orders,
};
use oms_service::idempotency::IdempotencyKey;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{served::Served, support::usd};

/// More than anything here takes.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// So much patience.
pub(crate) fn patience(lasts: Duration) -> Patience {
    Patience::new(Instant::now() + lasts, CancellationToken::new(), CancellationToken::new())
}

pub(crate) fn wanted(sku: &str, qty: i32, price: i64) -> WantedLine {
    WantedLine { sku: sku.to_owned(), qty, price: usd(price), name: String::new() }
}

pub(crate) fn add(sku: &str, price: i64) -> Change {
    Change::Add(wanted(sku, 1, price))
}

pub(crate) fn wish(change: Change) -> EditOrder {
    EditOrder { change, method: None, expected: Expected::default() }
}

/// A key whose answer is the version and the total of the order.
pub(crate) fn keyed(key: &str, change: &Change) -> Keyed<Edited> {
    let key = IdempotencyKey {
        scope: "global".to_owned(),
        key: key.to_owned(),
        method: "edit",
        request_hash: format!("{change:?}"),
    };
    Keyed { key, encode: |done| told(&done.order).into_bytes() }
}

pub(crate) fn told(order: &Order) -> String {
    format!("version {} total {}", order.version(), order.total())
}

/// The change, as somebody with all the time in the world asks for it.
pub(crate) async fn edit(
    context: &Context,
    order: &str,
    change: Change,
) -> Result<Order, CommandError> {
    match edit_order(context, order.to_owned(), wish(change), None, patience(LONG)).await? {
        Reply::Fresh(Edited { order }) => Ok(order),
        Reply::Remembered { .. } => panic!("there was no key"),
    }
}

/// What a call needs, on an instance that looks for changes.
pub(crate) fn watching(served: &Served) -> Context {
    let context = served.context();
    let (read, every) = (context.read.clone(), Duration::from_millis(5));
    let looks = context.changes.clone().run(read, every, served.host.workers());
    served.host.tasks().spawn("changes of the test", looks);
    context
}

/// The order as it is stored.
pub(crate) async fn stored(served: &Served, order: &str) -> Order {
    let ids = [order.to_owned()];
    load_orders(&served.running.database.read, &ids).await.unwrap().remove(order).unwrap()
}
