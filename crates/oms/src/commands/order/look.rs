//! What can be seen of orders: one, or many.

use oms_proto::oms_v1::{GetOrderRequest, ListOrdersRequest, ListOrdersResponse, OrderStatus};

use super::{
    advice,
    command::{ListArguments, ShowArguments, StatusFilter},
    page,
};
use crate::{
    cli::{Failure, Session},
    commands::{
        explain::{gather, road},
        paging::more,
    },
};

/// `oms order show`.
pub(super) async fn show(session: &Session, arguments: &ShowArguments) -> Result<(), Failure> {
    let ShowArguments { order, at } = arguments;
    let client = session.orders().await?;
    let ask = |request| {
        let mut client = client.clone();
        async move { client.get_order(request).await }
    };
    let answer = session.ask(GetOrderRequest { order_id: order.clone() }, ask).await;
    let answer = answer.map_err(|failure| advice::about(order, failure))?;
    // The road is more than the API tells; without an admin port the page is the shorter.
    let hops = if session.out.is_json() {
        Vec::new()
    } else {
        match gather(session, at, order).await {
            Ok(gathered) => road(&gathered),
            Err(failure) => {
                session.out.verbose(|| format!("no road: {}", failure.message));
                Vec::new()
            }
        }
    };
    session.out.answer(&answer, |shown| page::show(shown, &answer, &hops))
}

/// `oms order list`.
pub(super) async fn list(session: &Session, arguments: &ListArguments) -> Result<(), Failure> {
    let client = session.orders().await?;
    let status = arguments.status.map_or(OrderStatus::Unspecified, OrderStatus::from);
    let fetch = async |page_size, page_token| {
        let ask = |request| {
            let mut client = client.clone();
            async move { client.list_orders(request).await }
        };
        let request = ListOrdersRequest {
            page_size,
            page_token,
            customer_id: arguments.customer.clone().unwrap_or_default(),
            status: status.into(),
            reference: arguments.reference.clone().unwrap_or_default(),
        };
        let page = session.ask(request, ask).await?;
        Ok((page.orders, page.next_page_token))
    };
    let (orders, next_page_token) = arguments.list.collect(fetch).await?;
    let answer = ListOrdersResponse { orders, next_page_token };
    session.out.answer(&answer, |shown| {
        shown.table(&page::list(&answer.orders));
        more(shown, &answer.next_page_token);
    })
}

impl From<StatusFilter> for OrderStatus {
    fn from(filter: StatusFilter) -> Self {
        match filter {
            StatusFilter::Pending => Self::Pending,
            StatusFilter::Reserved => Self::Reserved,
            StatusFilter::Paid => Self::Paid,
            StatusFilter::Confirmed => Self::Confirmed,
            StatusFilter::Canceled => Self::Canceled,
            StatusFilter::Refunded => Self::Refunded,
            StatusFilter::Shipped => Self::Shipped,
            StatusFilter::Completed => Self::Completed,
        }
    }
}
