//! GetOrders: all orders, newest first, a page at a time.

use oms_proto::orders as wire;
use oms_service::Refusal;

use super::{
    super::{
        list::{PAGE_MAX, fitting, next_key},
        status::of_store,
        validate::Findings,
    },
    convert,
    page_token::{self, NextPage},
};
use crate::queries::{PageStart, Queries};

/// Which page a caller wants.
struct Wanted {
    start: PageStart,
    number: i32,
    size: usize,
}

/// Answers a `GetOrdersRequest`.
pub(super) async fn list(
    queries: &Queries,
    request: &wire::GetOrdersRequest,
) -> Result<wire::GetOrdersResponse, Refusal> {
    let Wanted { start, number, size } = wanted(request)?;
    let read = queries.page_of_all(&start, size).await;
    let (page, all) = read.map_err(|failure| of_store(&failure))?;
    let orders = page.orders.iter().map(convert::listed).collect::<Result<Vec<_>, _>>()?;
    let orders = fitting(orders);
    let next = next_key(&page, orders.len());
    let next = next.map(|key| NextPage { key, number: number.saturating_add(1) });
    Ok(wire::GetOrdersResponse {
        orders,
        total_count: i32::try_from(all).unwrap_or(i32::MAX),
        page_number: number,
        page_size: i32::try_from(size).unwrap_or(i32::MAX),
        next_page_token: next.and_then(|next| page_token::token(&next)).unwrap_or_default(),
    })
}

fn wanted(request: &wire::GetOrdersRequest) -> Result<Wanted, Refusal> {
    let wire::GetOrdersRequest { page_number, page_size, page_token } = request;
    let mut found = Findings::default();
    if *page_number < 0 {
        found.add("pageNumber", "pageNumber must not be negative");
    }
    let size = match usize::try_from(*page_size) {
        Ok(0) => PAGE_MAX,
        Ok(size) if size <= PAGE_MAX => size,
        _ => {
            found.add("pageSize", format!("pageSize must be between 0 and {PAGE_MAX}"));
            0
        }
    };
    let number = (*page_number).max(1);
    let before = u64::try_from(number - 1).unwrap_or(0);
    let first = Wanted { start: PageStart::At(before * size as u64), number, size };
    let wanted = match page_token::next(page_token) {
        Some(NextPage { key, number }) => Wanted { start: PageStart::After(key), number, size },
        None if page_token.is_empty() => first,
        None => {
            found.add("pageToken", "pageToken is not one of a page before");
            first
        }
    };
    found.or(wanted)
}
