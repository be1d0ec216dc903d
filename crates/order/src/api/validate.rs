//! Requests become commands, or every violation at once.
//!
//! The messages are part of the API (`docs/api.md`); the first of them is the call's message.

use oms_proto::oms_v1 as wire;
use oms_service::{Refusal, Violation};
use uuid::Uuid;

use crate::{
    commands::{
        CancelOrder, CompleteOrder, CreateOrder, DEFAULT_PAYMENT_METHOD, PAYMENT_METHODS, PayOrder,
        RefundOrder, ShipOrder, WantedLine,
    },
    domain::{Currency, LINES_MAX as ITEMS_MAX, Money},
};

/// Units of one item.
pub(super) const QTY_MAX: i32 = 1_000_000;
/// Bytes of an ordinary text.
pub(super) const TEXT_BYTES_MAX: usize = 256;
/// Bytes of a `reason`.
const REASON_BYTES_MAX: usize = 1_024;

/// A request for one order: the order's id, as a word, and what to do with it.
pub(super) struct About<T> {
    /// `None` for a text that cannot name an order.
    pub(super) order_id: Option<String>,
    /// What to do.
    pub(super) wish: T,
}

/// Reads a `CreateOrderRequest`.
pub(super) fn create_order(request: wire::CreateOrderRequest) -> Result<CreateOrder, Refusal> {
    let mut found = Findings::default();
    found.required("customer_id", &request.customer_id);
    let currency = found.currency("currency", &request.currency);
    found.text("reference", &request.reference, TEXT_BYTES_MAX);
    let count = request.items.len();
    if count == 0 {
        found.add("items", "order must contain at least one item");
    } else if count > ITEMS_MAX {
        found.add("items", format!("order must contain at most {ITEMS_MAX} items"));
    }
    // Beyond the bound the items are wrong altogether: one violation says so.
    let items = request.items.into_iter().take(if count > ITEMS_MAX { 0 } else { count });
    let lines: Vec<WantedLine> = items
        .enumerate()
        .filter_map(|(i, item)| line(&mut found, i, item, &request.currency, currency))
        .collect();
    let Some(currency) = currency.filter(|_| found.none()) else { return found.refuse() };
    if total_overflows(&lines, currency) {
        found.add("items", "order total is out of range");
        return found.refuse();
    }
    let wire::CreateOrderRequest { customer_id, reference, .. } = request;
    Ok(CreateOrder { customer_id, currency, lines, reference, repeats: true })
}

fn line(
    found: &mut Findings,
    i: usize,
    item: wire::create_order_request::Item,
    order_code: &str,
    currency: Option<Currency>,
) -> Option<WantedLine> {
    let at = format!("item[{i}]");
    found.required(&format!("{at}.sku"), &item.sku);
    if item.qty <= 0 {
        found.add(format!("{at}.qty"), format!("{at}.qty must be positive"));
    } else if item.qty > QTY_MAX {
        found.add(format!("{at}.qty"), format!("{at}.qty must be at most {QTY_MAX}"));
    }
    found.text(&format!("{at}.name"), &item.name, TEXT_BYTES_MAX);
    let Some(price) = item.price else {
        found.add(format!("{at}.price"), format!("{at}.price is required"));
        return None;
    };
    let field = format!("{at}.price.currency");
    if price.currency.trim().is_empty() {
        found.add(&field, format!("{field} is required"));
    } else if !order_code.trim().is_empty() && price.currency != order_code {
        found.add(&field, format!("{field} mismatch"));
    }
    if price.amount_minor <= 0 {
        let field = format!("{at}.price.amount_minor");
        found.add(&field, format!("{field} must be positive"));
    }
    let price = Money::new(price.amount_minor, currency?);
    Some(WantedLine { sku: item.sku, qty: item.qty, price, name: item.name })
}

pub(super) fn total_overflows(lines: &[WantedLine], currency: Currency) -> bool {
    let sum = lines.iter().try_fold(Money::zero(currency), |sum, line| {
        line.price.times(i64::from(line.qty)).and_then(|price| sum.plus(price))
    });
    sum.is_err()
}

/// Reads a `GetOrderRequest`.
pub(super) fn get_order(request: &wire::GetOrderRequest) -> Result<About<()>, Refusal> {
    let mut found = Findings::default();
    let order_id = found.order_id(&request.order_id);
    found.or(About { order_id, wish: () })
}

/// Reads a `PayOrderRequest`.
pub(super) fn pay_order(request: wire::PayOrderRequest) -> Result<About<PayOrder>, Refusal> {
    let mut found = Findings::default();
    let order_id = found.order_id(&request.order_id);
    let method = match request.payment_method {
        method if method.is_empty() => DEFAULT_PAYMENT_METHOD.to_owned(),
        method => method,
    };
    if !PAYMENT_METHODS.contains(&method.as_str()) {
        found.add("payment_method", "payment_method is unknown");
    }
    let expected_version = request.expected_version;
    found.or(About { order_id, wish: PayOrder { method, expected_version } })
}

/// Reads a `CancelOrderRequest`.
pub(super) fn cancel_order(
    request: wire::CancelOrderRequest,
) -> Result<About<CancelOrder>, Refusal> {
    let mut found = Findings::default();
    let order_id = found.order_id(&request.order_id);
    found.text("reason", &request.reason, REASON_BYTES_MAX);
    let wire::CancelOrderRequest { reason, expected_version, .. } = request;
    found.or(About { order_id, wish: CancelOrder { reason, expected_version } })
}

/// Reads a `RefundOrderRequest`. Whether the amount fits the order is the order's business.
pub(super) fn refund_order(
    request: wire::RefundOrderRequest,
) -> Result<About<RefundOrder>, Refusal> {
    let mut found = Findings::default();
    let order_id = found.order_id(&request.order_id);
    let amount = request.amount.as_ref().and_then(|amount| {
        let currency = found.currency("amount.currency", &amount.currency);
        if amount.amount_minor <= 0 {
            found.add("amount.amount_minor", "amount.amount_minor must be positive");
        }
        currency.map(|currency| Money::new(amount.amount_minor, currency))
    });
    found.text("reason", &request.reason, REASON_BYTES_MAX);
    let wire::RefundOrderRequest { reason, expected_version, .. } = request;
    found.or(About { order_id, wish: RefundOrder { amount, reason, expected_version } })
}

/// Reads a `ShipOrderRequest`.
pub(super) fn ship_order(request: &wire::ShipOrderRequest) -> Result<About<ShipOrder>, Refusal> {
    let mut found = Findings::default();
    let order_id = found.order_id(&request.order_id);
    found.or(About { order_id, wish: ShipOrder { expected_version: request.expected_version } })
}

/// Reads a `CompleteOrderRequest`.
pub(super) fn complete_order(
    request: &wire::CompleteOrderRequest,
) -> Result<About<CompleteOrder>, Refusal> {
    let mut found = Findings::default();
    let order_id = found.order_id(&request.order_id);
    let wish = CompleteOrder { expected_version: request.expected_version };
    found.or(About { order_id, wish })
}

/// Collects what is wrong with a request.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Violation>);

impl Findings {
    /// Messages say `item[0].sku`; the field's path in the request is `items[0].sku`.
    pub(super) fn add(&mut self, field: impl AsRef<str>, description: impl Into<String>) {
        let path = field.as_ref().replacen("item[", "items[", 1);
        self.0.push(Violation::new(path, description));
    }

    pub(super) fn none(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn refuse<T>(self) -> Result<T, Refusal> {
        Err(Refusal::invalid(self.0))
    }

    pub(super) fn or<T>(self, command: T) -> Result<T, Refusal> {
        if self.none() { Ok(command) } else { self.refuse() }
    }

    /// A text that may be empty.
    pub(super) fn text(&mut self, field: &str, text: &str, bytes_max: usize) {
        if text.len() > bytes_max {
            self.add(field, format!("{field} must be at most {bytes_max} bytes"));
        } else if text.contains('\0') {
            // PostgreSQL cannot store it.
            self.add(field, format!("{field} must not contain NUL"));
        }
    }

    /// A text that must say something.
    fn required(&mut self, field: &str, text: &str) {
        if text.trim().is_empty() {
            self.add(field, format!("{field} is required"));
        } else {
            self.text(field, text, TEXT_BYTES_MAX);
        }
    }

    /// A currency that must be there and known.
    pub(super) fn currency(&mut self, field: &str, code: &str) -> Option<Currency> {
        if code.trim().is_empty() {
            self.add(field, format!("{field} is required"));
            return None;
        }
        let known = Currency::parse(code).ok();
        if known.is_none() {
            self.add(field, format!("{field} must be an upper-case ISO 4217 code"));
        }
        known
    }

    /// An order id as everything inside writes it: hyphenated, lower case. Anything else names no
    /// order, whatever the uuid crate makes of braces, URNs and bare digits.
    pub(super) fn order_id(&mut self, text: &str) -> Option<String> {
        if text.trim().is_empty() {
            self.add("order_id", "order_id is required");
            return None;
        }
        guid(text).map(|id| id.to_string())
    }
}

/// The id of a hyphenated text.
pub(super) fn guid(text: &str) -> Option<Uuid> {
    let hyphenated = text.len() == 36;
    Uuid::try_parse(text).ok().filter(|_| hyphenated)
}
