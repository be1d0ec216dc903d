//! Requests checked against the limits, everything that is wrong at once.

use oms_proto::oms_v1 as wire;
use oms_service::{Refusal, Violation};
use uuid::Uuid;

use super::page;
use crate::{
    commands::{AdjustStock, ReceiveStock},
    limits,
};

/// What is wrong with a request so far.
#[derive(Default)]
struct Check(Vec<Violation>);

impl Check {
    fn that(mut self, field: &str, checked: Result<(), String>) -> Self {
        if let Err(why) = checked {
            self.0.push(Violation::new(field, why));
        }
        self
    }

    fn done(self) -> Result<(), Refusal> {
        if self.0.is_empty() { Ok(()) } else { Err(Refusal::invalid(self.0)) }
    }
}

pub(super) fn sku(sku: &str) -> Result<(), Refusal> {
    Check::default().that("sku", limits::sku(sku)).done()
}

pub(super) fn receive(request: wire::ReceiveStockRequest) -> Result<ReceiveStock, Refusal> {
    let wire::ReceiveStockRequest { sku, qty, note } = request;
    Check::default()
        .that("sku", limits::sku(&sku))
        .that("qty", limits::received(qty))
        .that("note", limits::text("note", &note, limits::NOTE_BYTES_MAX))
        .done()?;
    Ok(ReceiveStock { sku, qty, note })
}

pub(super) fn adjust(request: wire::AdjustStockRequest) -> Result<AdjustStock, Refusal> {
    let wire::AdjustStockRequest { sku, delta, reason } = request;
    Check::default()
        .that("sku", limits::sku(&sku))
        .that("delta", limits::delta(delta))
        .that("reason", limits::text("reason", &reason, limits::REASON_BYTES_MAX))
        .done()?;
    Ok(AdjustStock { sku, delta, reason })
}

/// The id as everything inside writes it: hyphenated, lower case. `None` for anything else, which
/// names no order, whatever the uuid crate makes of braces, URNs and bare digits.
pub(super) fn order_id(order_id: &str) -> Result<Option<String>, Refusal> {
    if order_id.trim().is_empty() {
        return Err(Refusal::invalid_field("order_id", "order_id is required"));
    }
    let hyphenated = order_id.len() == uuid::fmt::Hyphenated::LENGTH;
    Ok(Uuid::try_parse(order_id).ok().filter(|_| hyphenated).map(|id| id.to_string()))
}

/// Which page a caller wants.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted<K> {
    pub(super) after: Option<K>,
    pub(super) size: u64,
}

/// A page of all stock.
pub(super) fn stock_page(request: &wire::ListStockRequest) -> Result<Wanted<String>, Refusal> {
    let (size, size_ok) = page_size(request.page_size);
    let is_sku = |sku: &String| limits::sku(sku).is_ok();
    let (after, token_ok) = page_key(STOCK, &request.page_token, is_sku);
    Check::default().that("page_size", size_ok).that("page_token", token_ok).done()?;
    Ok(Wanted { after, size })
}

/// A page of one SKU's ledger.
pub(super) fn movements_page(request: &wire::ListMovementsRequest) -> Result<Wanted<i64>, Refusal> {
    let (size, size_ok) = page_size(request.page_size);
    let (after, token_ok) = page_key(&movements_list(&request.sku), &request.page_token, |_| true);
    Check::default()
        .that("sku", limits::sku(&request.sku))
        .that("page_size", size_ok)
        .that("page_token", token_ok)
        .done()?;
    Ok(Wanted { after, size })
}

/// The token of the page after the stock of `sku`.
pub(super) fn stock_token(sku: &str) -> String {
    page::token(STOCK, sku)
}

/// The token of the page after entry `id` of the ledger of `sku`.
pub(super) fn movements_token(sku: &str, id: i64) -> String {
    page::token(&movements_list(sku), &id.to_string())
}

const STOCK: &str = "stock";

fn movements_list(sku: &str) -> String {
    format!("movements {sku}")
}

fn page_size(size: i32) -> (u64, Result<(), String>) {
    match u64::try_from(size) {
        Ok(0) => (limits::PAGE_DEFAULT, Ok(())),
        Ok(size) if size <= limits::PAGE_MAX => (size, Ok(())),
        _ => (0, Err(format!("page_size must be between 0 and {}", limits::PAGE_MAX))),
    }
}

/// The key in a token. It is not signed: whatever it names must be what the list could have given
/// out.
fn page_key<K: std::str::FromStr>(
    list: &str,
    token: &str,
    could_be: impl FnOnce(&K) -> bool,
) -> (Option<K>, Result<(), String>) {
    if token.is_empty() {
        return (None, Ok(()));
    }
    match page::key(list, token).and_then(|key| key.parse().ok()).filter(could_be) {
        Some(key) => (Some(key), Ok(())),
        None => (None, Err("page_token is not one this list gave out".to_owned())),
    }
}
