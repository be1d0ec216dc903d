//! CreateOrder: an order exists, PENDING.

use chrono::TimeDelta;
use oms_messaging::Tx;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    CommandError, Context, Keyed, Patience, Reply,
    context::cause,
    keyed::{self, Claimed},
};
use crate::{
    domain::{Currency, Line, Money, NewOrder, Order},
    store::{self, Session, claim_fingerprint},
};

/// What to create. Checked by whoever calls; the domain checks once more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateOrder {
    /// Who orders.
    pub customer_id: String,
    /// Of all prices.
    pub currency: Currency,
    /// What is ordered, in order.
    pub lines: Vec<WantedLine>,
    /// The caller's own reference; may be empty.
    pub reference: String,
    /// Whether the same parameters soon after, without a key, mean the same order.
    pub repeats: bool,
}

/// A line of an order to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedLine {
    /// Stock keeping unit.
    pub sku: String,
    /// Units.
    pub qty: i32,
    /// Price of one unit.
    pub price: Money,
    /// Name for people; may be empty.
    pub name: String,
}

/// Creates an order. Without a key, the same parameters soon after are taken for a retry, unless
/// the wish says otherwise: they give the order that exists, as long as it is PENDING and no run
/// was started.
///
/// # Errors
/// [`CommandError::Invalid`]; [`CommandError::KeyConflict`]; [`CommandError::KeyRunning`] when
/// `patience` ends before the key's first call; failures of the store.
#[tracing::instrument(
    level = "debug",
    name = "command",
    skip_all,
    fields(otel.name = "CreateOrder", oms.service = "order")
)]
pub async fn create_order(
    context: &Context,
    wish: CreateOrder,
    keyed: Option<Keyed<Order>>,
    patience: Patience,
) -> Result<Reply<Order>, CommandError> {
    let id = context.messaging.seams().ids.next();
    let _turn = context.key_turn(keyed.as_ref(), &patience).await?;
    let (mut tx, claimed) = context.claim(keyed.as_ref(), &patience).await?;
    match claimed {
        Claimed::New => {}
        Claimed::Answered(answer) => return Ok(context.replay(answer)),
        Claimed::Running => return Err(CommandError::KeyRunning),
    }
    tx.begin_stream(id.to_string());
    if keyed.is_none()
        && wish.repeats
        && let Some(existing) = repeated(context, &tx, id, &wish).await?
    {
        return Ok(Reply::Fresh(existing));
    }
    let order = Order::create(new_order(id, wish, &tx), &cause(&tx))?;
    let created = order.clone();
    let mut session = Session::load(&tx, &[]).await?;
    session.insert(order);
    let changed = session.save(&mut tx).await?;
    keyed::remember(&tx, keyed.as_ref(), &created).await?;
    context.commit(tx, changed).await?;
    Ok(Reply::Fresh(created))
}

fn new_order(id: Uuid, wish: CreateOrder, tx: &Tx) -> NewOrder {
    let CreateOrder { customer_id, currency, lines, reference, .. } = wish;
    let line = |WantedLine { sku, qty, price, name }| Line {
        id: tx.next_id(),
        sku,
        qty,
        price,
        name,
        created_at: tx.now(),
    };
    let lines = lines.into_iter().map(line).collect();
    NewOrder { id, customer_id, currency, lines, reference }
}

/// The order a keyless call repeats; `None` when these parameters are now `id`'s.
async fn repeated(
    context: &Context,
    tx: &Tx,
    id: Uuid,
    wish: &CreateOrder,
) -> Result<Option<Order>, CommandError> {
    let window = i64::try_from(context.settings.repeat_window_s).unwrap_or(i64::MAX / 1_000);
    let expires = tx.now() + TimeDelta::seconds(window);
    let (hash, id) = (fingerprint(wish), id.to_string());
    match claim_fingerprint(tx.conn(), &hash, &id, expires, tx.now()).await? {
        store::Claimed::New => Ok(None),
        store::Claimed::Existing(order) => {
            let found = store::load_orders(tx.conn(), &[order]).await?;
            Ok(found.into_values().next())
        }
    }
}

/// Of customer, currency and lines in order; each part with its length, so that no two different
/// wishes read the same.
fn fingerprint(wish: &CreateOrder) -> String {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    part(wish.customer_id.as_bytes());
    part(wish.currency.code().as_bytes());
    for WantedLine { sku, qty, price, name } in &wish.lines {
        part(sku.as_bytes());
        part(&qty.to_be_bytes());
        part(&price.minor().to_be_bytes());
        part(name.as_bytes());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(customer: &str, lines: &[(&str, i32, i64)]) -> CreateOrder {
        let currency = Currency::parse("USD").unwrap();
        let line = |(sku, qty, minor): &(&str, i32, i64)| WantedLine {
            sku: (*sku).to_owned(),
            qty: *qty,
            price: Money::new(*minor, currency),
            name: String::new(),
        };
        CreateOrder {
            customer_id: customer.to_owned(),
            currency,
            lines: lines.iter().map(line).collect(),
            reference: String::new(),
            repeats: true,
        }
    }

    #[test]
    fn every_parameter_and_the_order_of_lines_count() {
        let base = wish("c", &[("A", 1, 5), ("B", 2, 5)]);
        let others = [
            wish("d", &[("A", 1, 5), ("B", 2, 5)]),
            wish("c", &[("B", 2, 5), ("A", 1, 5)]),
            wish("c", &[("A", 1, 5)]),
            wish("c", &[("A", 2, 5), ("B", 2, 5)]),
            wish("c", &[("A", 1, 6), ("B", 2, 5)]),
            wish("cA", &[("", 1, 5), ("B", 2, 5)]),
        ];
        assert_eq!(fingerprint(&base), fingerprint(&base.clone()));
        for other in others {
            assert_ne!(fingerprint(&base), fingerprint(&other), "{other:?}");
        }
    }
}
