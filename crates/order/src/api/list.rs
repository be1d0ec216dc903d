//! ListOrders: reads the request, and writes as much of a page as an answer may hold.

use oms_proto::oms_v1 as wire;
use oms_service::Refusal;
use prost::{Message, encoding::encoded_len_varint};

use super::{
    convert, page_token,
    status::of_store,
    validate::{Findings, TEXT_BYTES_MAX},
};
use crate::{
    domain::Status,
    queries::{ListFilter, OrderPage, PageKey, Queries},
};

/// Orders of a page whose caller names no size.
const PAGE_DEFAULT: usize = 50;
/// Most orders of a page.
pub(super) const PAGE_MAX: usize = 1_000;
/// Bytes of orders in one answer; clients stop at 4 MiB.
const ANSWER_BYTES_MAX: usize = 3 * 1024 * 1024 - 1_024;

/// What a caller wants listed.
#[derive(Debug)]
struct Wanted {
    filter: ListFilter,
    after: Option<PageKey>,
    size: usize,
}

/// Answers a `ListOrdersRequest`.
pub(super) async fn list(
    queries: &Queries,
    request: wire::ListOrdersRequest,
) -> Result<wire::ListOrdersResponse, Refusal> {
    let Wanted { filter, after, size } = wanted(request)?;
    let page = queries.list_orders(&filter, after.as_ref(), size).await;
    Ok(answer(&filter, &page.map_err(|failure| of_store(&failure))?))
}

fn wanted(request: wire::ListOrdersRequest) -> Result<Wanted, Refusal> {
    let mut found = Findings::default();
    let size = match usize::try_from(request.page_size) {
        Ok(0) => PAGE_DEFAULT,
        Ok(size) if size <= PAGE_MAX => size,
        _ => {
            found.add("page_size", format!("page_size must be between 0 and {PAGE_MAX}"));
            0
        }
    };
    found.text("customer_id", &request.customer_id, TEXT_BYTES_MAX);
    let status = match status(request.status) {
        Ok(status) => status,
        Err(unknown) => {
            found.add("status", unknown);
            None
        }
    };
    found.text("reference", &request.reference, TEXT_BYTES_MAX);
    let wire::ListOrdersRequest { customer_id, reference, page_token, .. } = request;
    let set = |text: String| Some(text).filter(|text| !text.is_empty());
    let filter = ListFilter { customer_id: set(customer_id), status, reference: set(reference) };
    let after = page_token::key(&filter, &page_token);
    if after.is_none() && !page_token.is_empty() {
        found.add("page_token", "page_token is not one of a list with these filters");
    }
    found.or(Wanted { filter, after, size })
}

/// The status a caller filters on, if any.
fn status(number: i32) -> Result<Option<Status>, &'static str> {
    let wanted = wire::OrderStatus::try_from(number).map_err(|_| "status is unknown")?;
    Ok(Status::ALL.into_iter().find(|status| convert::status(*status) == wanted))
}

/// The page, up to the order that would make the answer too large. One order never is.
fn answer(filter: &ListFilter, page: &OrderPage) -> wire::ListOrdersResponse {
    let orders = fitting(page.orders.iter().map(convert::listed));
    let next = next_key(page, orders.len()).and_then(|key| page_token::token(filter, &key));
    wire::ListOrdersResponse { orders, next_page_token: next.unwrap_or_default() }
}

/// The first orders of a page that an answer has room for; one at least.
pub(super) fn fitting<M: Message>(page: impl IntoIterator<Item = M>) -> Vec<M> {
    let (mut orders, mut bytes) = (Vec::new(), 0);
    for order in page {
        let len = order.encoded_len();
        // The field's tag takes one byte.
        bytes += 1 + encoded_len_varint(len as u64) + len;
        if bytes > ANSWER_BYTES_MAX && !orders.is_empty() {
            break;
        }
        orders.push(order);
    }
    orders
}

/// Where the next page begins when so many orders of this one are told; `None` after the last.
pub(super) fn next_key(page: &OrderPage, told: usize) -> Option<PageKey> {
    let more = page.more || told < page.orders.len();
    let last = page.orders.get(told.checked_sub(1)?).filter(|_| more)?;
    Some(last.key())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_of_the_wire_is_a_filter_and_unspecified_is_none() {
        assert_eq!(status(0), Ok(None));
        let all = (1..=8).map(|number| status(number).unwrap().unwrap());
        assert_eq!(all.collect::<Vec<_>>(), Status::ALL);
        assert!(status(9).is_err() && status(-1).is_err());
    }
}
