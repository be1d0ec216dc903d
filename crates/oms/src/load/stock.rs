//! The SKUs that a load buys, and what inventory counts of them.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt, stream};
use oms_proto::oms_v1::{GetStockRequest, Stock};

use crate::cli::{Exit, Failure, Session};

/// SKUs made for loads.
const SKUS: u64 = 50;
/// The SKU of which there is nothing.
pub(super) const OUT_OF_STOCK: &str = "SKU-OUT-OF-STOCK";
/// Questions at the same time.
const AT_ONCE: usize = 8;

/// What the `n`th order buys.
pub(super) fn sku(n: u64) -> String {
    format!("SKU-LOAD-{:02}", 1 + n % SKUS)
}

/// The counts of every SKU a load may touch.
pub(super) async fn counts(session: &Session) -> Result<BTreeMap<String, Stock>, Failure> {
    let client = session.inventory().await?;
    let skus = (0..SKUS).map(sku).chain([OUT_OF_STOCK.to_owned()]);
    let asked = skus.map(|sku| {
        let client = client.clone();
        async move {
            let ask = |request| {
                let mut client = client.clone();
                async move { client.get_stock(request).await }
            };
            let answer = session.ask(GetStockRequest { sku: sku.clone() }, ask).await;
            let stock = answer.map_err(|failure| missing(&sku, failure))?.stock;
            Ok((sku, stock.unwrap_or_default()))
        }
    });
    stream::iter(asked).buffer_unordered(AT_ONCE).try_collect().await
}

fn missing(sku: &str, mut failure: Failure) -> Failure {
    if failure.exit == Exit::NotFound {
        failure.message = format!("there is no {sku}, which loads buy");
        return failure.next("`oms stock import deploy/catalog/stock.csv` brings it");
    }
    failure
}

/// Units that are held for orders or went to them.
pub(super) fn taken(stock: &Stock) -> i64 {
    stock.held + stock.committed + stock.shipped
}
