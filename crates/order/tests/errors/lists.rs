//! What ListOrders refuses.

use oms_proto::oms_v1::{ListOrdersRequest, OrderStatus};

use super::stage::Stage;

const METHOD: &str = "ListOrders";

fn wrong() -> Vec<ListOrdersRequest> {
    let mut all = Vec::new();
    let mut with = |change: fn(&mut ListOrdersRequest)| {
        let mut request = ListOrdersRequest::default();
        change(&mut request);
        all.push(request);
    };
    with(|r| r.page_size = -1);
    with(|r| r.page_size = i32::MIN);
    with(|r| r.page_size = 1_001);
    with(|r| r.customer_id = "x".repeat(257));
    with(|r| "\0".clone_into(&mut r.customer_id));
    with(|r| r.status = 99);
    with(|r| r.status = -1);
    with(|r| r.reference = "x".repeat(257));
    with(|r| "\0".clone_into(&mut r.reference));
    with(|r| "x".clone_into(&mut r.page_token));
    with(|r| "\0".clone_into(&mut r.page_token));
    with(|r| r.page_token = "A".repeat(9_000));
    with(|r| {
        r.page_size = -1;
        r.customer_id = "x".repeat(257);
        r.status = 99;
        "\0".clone_into(&mut r.reference);
        "x".clone_into(&mut r.page_token);
    });
    all
}

pub(super) async fn list_orders(stage: &mut Stage) {
    let mut client = stage.client();
    for request in wrong() {
        stage.refused(METHOD, client.list_orders(request)).await;
    }
    // A token of a list with other filters, and one with a letter more.
    let first = ListOrdersRequest { page_size: 1, ..Default::default() };
    let page_token = client.list_orders(first).await.unwrap().into_inner().next_page_token;
    let damaged = ListOrdersRequest { page_token: format!("{page_token}A"), ..Default::default() };
    let status = OrderStatus::Canceled.into();
    let other = ListOrdersRequest { page_token, status, ..Default::default() };
    for request in [damaged, other] {
        stage.refused(METHOD, client.list_orders(request)).await;
    }
}
