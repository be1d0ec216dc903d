//! What is asked for, checked: everything that is wrong with a request is said at once.

use oms_proto::oms_v1::ListPaymentsRequest;
use oms_service::{Refusal, Violation};
use uuid::Uuid;

use crate::queries::Position;

const PAGE_SIZE_DEFAULT: u64 = 50;
const PAGE_SIZE_MAX: i32 = 1_000;
const TEXT_BYTES_MAX: usize = 256;

/// The order meant, as everything inside writes it: hyphenated, lower case. `None` for anything
/// else, which names no order.
pub(super) fn order_id(text: &str) -> Result<Option<String>, Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::invalid_field("order_id", "order_id is required"));
    }
    let hyphenated = text.len() == uuid::fmt::Hyphenated::LENGTH;
    Ok(Uuid::try_parse(text).ok().filter(|_| hyphenated).map(|id| id.to_string()))
}

/// A page of payments.
#[derive(Debug)]
pub(super) struct Page {
    pub size: u64,
    pub after: Option<Position>,
}

/// The page meant.
pub(super) fn page(request: &ListPaymentsRequest) -> Result<Page, Refusal> {
    let mut violations = Vec::new();
    if !(0..=PAGE_SIZE_MAX).contains(&request.page_size) {
        let text = format!("page_size must be between 0 and {PAGE_SIZE_MAX}");
        violations.push(Violation::new("page_size", text));
    }
    let token = &request.page_token;
    let after = Position::from_token(token).filter(|_| token.len() <= TEXT_BYTES_MAX);
    if after.is_none() && !token.is_empty() {
        violations.push(Violation::new("page_token", "page_token is not one this list gave out"));
    }
    if !violations.is_empty() {
        return Err(Refusal::invalid(violations));
    }
    let size = u64::from(request.page_size.unsigned_abs());
    Ok(Page { size: if size == 0 { PAGE_SIZE_DEFAULT } else { size }, after })
}
