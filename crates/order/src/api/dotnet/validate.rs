//! Requests become commands, or every violation at once.
//!
//! Fields are called as JSON calls them. A customer or a product that is new to an order is named
//! by a GUID; what is on the order already is taken back as it is, whatever `oms.v1` was told.

use std::collections::BTreeMap;

use oms_proto::orders as wire;
use oms_service::Refusal;
use uuid::Uuid;

use super::{
    super::validate::{Findings, QTY_MAX, TEXT_BYTES_MAX, guid, total_overflows},
    amount::{NoAmount, minor_units},
};
use crate::{
    commands::{Change, CreateOrder, WantedLine},
    domain::{Currency, LINES_MAX as ITEMS_MAX, Money, Order, Stage},
};

/// Reads a `CreateOrderRequest`.
pub(super) fn create_order(request: wire::CreateOrderRequest) -> Result<CreateOrder, Refusal> {
    let mut found = Findings::default();
    let customer_id = new_guid(&mut found, "customerId", &request.customer_id);
    let currency = found.currency("currency", &request.currency);
    let count = item_count(&mut found, "items", request.items.len());
    let mut products = Once::default();
    let mut lines = Vec::new();
    for (i, item) in request.items.into_iter().take(count).enumerate() {
        let at = format!("items[{i}]");
        let line = Item::from(item).line(&mut found, &at, &request.currency, currency, None);
        if let Some(line) = line {
            products.see(&mut found, &at, "productId", &line.sku);
            lines.push(line);
        }
    }
    let (Some(customer_id), Some(currency)) = (customer_id, currency) else {
        return found.refuse();
    };
    if found.none() && total_overflows(&lines, currency) {
        found.add("items", "order total is out of range");
    }
    let (reference, repeats) = (String::new(), false);
    found.or(CreateOrder { customer_id, currency, lines, reference, repeats })
}

/// How many items are to be looked at: beyond the bound they are wrong altogether, and one
/// violation says so.
pub(super) fn item_count(found: &mut Findings, field: &str, count: usize) -> usize {
    if count == 0 {
        found.add(field, format!("{field} must contain at least one item"));
    } else if count > ITEMS_MAX {
        found.add(field, format!("{field} must contain at most {ITEMS_MAX} items"));
        return 0;
    }
    count
}

/// An item as any request names it.
pub(super) struct Item {
    product_id: String,
    product_name: String,
    quantity: i32,
    unit_price: f64,
    currency: String,
}

impl From<wire::CreateOrderItem> for Item {
    fn from(item: wire::CreateOrderItem) -> Self {
        let wire::CreateOrderItem { product_id, product_name, quantity, unit_price, currency } =
            item;
        Self { product_id, product_name, quantity, unit_price, currency }
    }
}

impl From<wire::OrderItem> for Item {
    fn from(item: wire::OrderItem) -> Self {
        let wire::OrderItem { product_id, product_name, quantity, unit_price, currency, .. } = item;
        Self { product_id, product_name, quantity, unit_price, currency }
    }
}

impl Item {
    /// The line it stands for, on an order of this currency; `known` is the order that may have the
    /// product already.
    pub(super) fn line(
        self,
        found: &mut Findings,
        at: &str,
        order_code: &str,
        currency: Option<Currency>,
        known: Option<&Order>,
    ) -> Option<WantedLine> {
        let sku = product(found, &format!("{at}.productId"), &self.product_id, known);
        found.text(&format!("{at}.productName"), &self.product_name, TEXT_BYTES_MAX);
        quantity(found, &format!("{at}.quantity"), self.quantity);
        let field = format!("{at}.currency");
        if self.currency.is_empty() {
            found.add(&field, format!("{field} is required"));
        } else if !order_code.is_empty() && self.currency != order_code {
            found.add(&field, format!("{field} must be the currency of the order"));
        }
        let price = currency.and_then(|currency| {
            price(found, &format!("{at}.unitPrice"), self.unit_price, currency)
        });
        let (qty, name) = (self.quantity, self.product_name);
        Some(WantedLine { sku: sku?, qty, price: price?, name })
    }
}

/// Checks how many units there are to be.
pub(super) fn quantity(found: &mut Findings, field: &str, quantity: i32) {
    if quantity <= 0 {
        found.add(field, format!("{field} must be positive"));
    } else if quantity > QTY_MAX {
        found.add(field, format!("{field} must be at most {QTY_MAX}"));
    }
}

fn price(found: &mut Findings, field: &str, amount: f64, currency: Currency) -> Option<Money> {
    let exponent = currency.exponent();
    let why = match minor_units(amount, exponent) {
        Ok(minor) => return Some(Money::new(minor, currency)),
        Err(NoAmount::NotFinite) => "must be a number".to_owned(),
        Err(NoAmount::NotPositive) => "must be positive".to_owned(),
        Err(NoAmount::TooManyDecimals) => {
            format!("must have at most {exponent} decimals in {currency}")
        }
        Err(NoAmount::OutOfRange) => "is out of range".to_owned(),
    };
    found.add(field, format!("{field} {why}"));
    None
}

/// The product's SKU.
fn product(found: &mut Findings, field: &str, text: &str, known: Option<&Order>) -> Option<String> {
    if known.is_some_and(|order| order.lines().iter().any(|line| line.sku == text)) {
        return Some(text.to_owned());
    }
    new_guid(found, field, text)
}

/// A value that is new to an order: a GUID, not the nil one, in lower case.
pub(super) fn new_guid(found: &mut Findings, field: &str, text: &str) -> Option<String> {
    let new = guid(text).filter(|id| !id.is_nil());
    if new.is_none() {
        found.add(field, format!("{field} must be a GUID"));
    }
    new.map(|id| id.to_string())
}

/// The id of something that there may be.
pub(super) fn id(found: &mut Findings, field: &str, text: &str) -> Option<Uuid> {
    let id = guid(text);
    if id.is_none() {
        found.add(field, format!("{field} must be a GUID"));
    }
    id
}

/// A request about an order alone.
pub(super) fn order_id(text: &str) -> Result<String, Refusal> {
    let mut found = Findings::default();
    match id(&mut found, "orderId", text) {
        Some(id) => Ok(id.to_string()),
        None => found.refuse(),
    }
}

/// The stage of a word.
pub(super) fn stage(found: &mut Findings, field: &str, word: &str) -> Option<Stage> {
    let stage = Stage::parse(word);
    if stage.is_none() {
        let words = Stage::words(&Stage::ALL);
        found.add(field, format!("{field} must be one of {words}"));
    }
    stage
}

/// Reads an `UpdateOrderStatusRequest`.
pub(super) fn update_status(
    request: &wire::UpdateOrderStatusRequest,
) -> Result<(String, Stage), Refusal> {
    let mut found = Findings::default();
    let order_id = id(&mut found, "orderId", &request.order_id);
    let to = stage(&mut found, "status", &request.status);
    match order_id.zip(to) {
        Some((order_id, to)) => Ok((order_id.to_string(), to)),
        None => found.refuse(),
    }
}

/// Reads an `AddItemToOrderRequest` about `order`.
pub(super) fn add_item(
    item: Option<wire::CreateOrderItem>,
    order: &Order,
) -> Result<Change, Refusal> {
    let mut found = Findings::default();
    let Some(item) = item else {
        found.add("item", "item is required");
        return found.refuse();
    };
    let currency = order.currency();
    let line =
        Item::from(item).line(&mut found, "item", currency.code(), Some(currency), Some(order));
    match line.filter(|_| found.none()) {
        Some(line) => Ok(Change::Add(line)),
        None => found.refuse(),
    }
}

/// Reads a `RemoveItemFromOrderRequest`.
pub(super) fn remove_item(
    request: &wire::RemoveItemFromOrderRequest,
) -> Result<(String, Change), Refusal> {
    let mut found = Findings::default();
    let order_id = id(&mut found, "orderId", &request.order_id);
    let line = id(&mut found, "itemId", &request.item_id);
    match order_id.zip(line) {
        Some((order_id, line)) => Ok((order_id.to_string(), Change::Remove { line })),
        None => found.refuse(),
    }
}

/// Reads an `UpdateOrderItemQuantityRequest`.
pub(super) fn item_quantity(
    request: &wire::UpdateOrderItemQuantityRequest,
) -> Result<(String, Change), Refusal> {
    let mut found = Findings::default();
    let order_id = id(&mut found, "orderId", &request.order_id);
    let line = id(&mut found, "itemId", &request.item_id);
    quantity(&mut found, "quantity", request.quantity);
    match order_id.zip(line).filter(|_| found.none()) {
        Some((order_id, line)) => {
            let change = Change::SetQuantity { line, qty: request.quantity };
            Ok((order_id.to_string(), change))
        }
        None => found.refuse(),
    }
}

/// What may come once in one request: products, and ids of items.
#[derive(Default)]
pub(super) struct Once(BTreeMap<String, String>);

impl Once {
    /// Finds fault with the `field` of the item at `at` when an earlier one had the same.
    pub(super) fn see(&mut self, found: &mut Findings, at: &str, field: &str, text: &str) {
        if let Some(first) = self.0.get(text) {
            found.add(format!("{at}.{field}"), format!("{at}.{field} is that of {first} too"));
        } else {
            self.0.insert(text.to_owned(), at.to_owned());
        }
    }
}
