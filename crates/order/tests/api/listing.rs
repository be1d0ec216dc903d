//! ListOrders: what is listed, what is left out, and what is refused.

use oms_proto::oms_v1::{
    CreateOrderRequest, ListOrdersRequest, ListOrdersResponse, Order, OrderStatus,
};
use prost::Message;
use sea_orm::ConnectionTrait;
use tonic::Code;
use tonic_types::StatusExt;

use crate::served::{Paying, Served, cancel, create_for, each_backend, item, keyed, pay, refund};

async fn list(served: &Served, request: &ListOrdersRequest) -> ListOrdersResponse {
    served.client.clone().list_orders(request.clone()).await.unwrap().into_inner()
}

/// Every page of a list.
async fn pages(served: &Served, request: &ListOrdersRequest) -> Vec<Vec<Order>> {
    let (mut request, mut all) = (request.clone(), Vec::new());
    loop {
        let page = list(served, &request).await;
        all.push(page.orders);
        if page.next_page_token.is_empty() {
            return all;
        }
        request.page_token = page.next_page_token;
    }
}

async fn create(served: &Served, customer: &str, reference: &str) -> String {
    let reference = reference.to_owned();
    let request = CreateOrderRequest { reference, ..create_for(customer, 5_000) };
    let key = format!("key-{}", served.orders().await);
    let created = served.client.clone().create_order(keyed(&key, request)).await;
    created.unwrap().into_inner().order_id
}

/// Orders in every status that calls can bring them to, by two customers, some with a reference.
async fn some_orders(served: &Served) -> Vec<String> {
    let mut client = served.client.clone();
    let mut all = Vec::new();
    for customer in ["a", "b"] {
        for reference in ["", "r-1", "r-2"] {
            served.others.pay(Paying::Approve);
            let pending = create(served, customer, reference).await;
            let confirmed = create(served, customer, reference).await;
            let partly = create(served, customer, reference).await;
            let refunded = create(served, customer, reference).await;
            let canceled = create(served, customer, reference).await;
            for order in [&confirmed, &partly, &refunded, &canceled] {
                client.pay_order(pay(order)).await.unwrap();
                served.reaches(order, OrderStatus::Confirmed).await;
            }
            client.refund_order(refund(&partly, Some(100))).await.unwrap();
            client.refund_order(refund(&refunded, None)).await.unwrap();
            client.cancel_order(cancel(&canceled)).await.unwrap();
            served.until(&canceled, |view| view.timeline.len() >= 8).await;
            served.until(&refunded, |view| view.timeline.len() >= 8).await;
            all.extend([pending, confirmed, partly, refunded, canceled]);
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_are_listed_newest_first_as_get_order_shows_them_and_by_every_filter() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        let ids = some_orders(&served).await;
        // Nothing is traced here.
        let write = &served.running.database.write;
        let traced = "UPDATE orders SET trace_id = '4bf92f3577b34da6a3ce929d0e0e4736' \
                      WHERE shown_status <> 'pending'";
        write.execute_unprepared(traced).await.unwrap();
        let mut expected = Vec::new();
        for id in ids {
            expected.insert(0, served.view(&id).await.order.unwrap());
        }
        assert!(expected.iter().any(|order| order.trace_id.len() == 32));
        assert!(expected.iter().any(|order| order.status_reason.is_some()));
        assert_eq!(list(&served, &ListOrdersRequest::default()).await.orders, expected);

        let statuses = [0, 1, 4, 5, 6, 7].map(|number| OrderStatus::try_from(number).unwrap());
        for customer in ["", "a", "b", "nobody"] {
            for reference in ["", "r-1", "r-2", "r-3"] {
                for status in statuses {
                    let request = ListOrdersRequest {
                        page_size: 2,
                        customer_id: customer.to_owned(),
                        status: status.into(),
                        reference: reference.to_owned(),
                        ..Default::default()
                    };
                    let matches = |order: &&Order| {
                        (customer.is_empty() || order.customer_id == customer)
                            && (reference.is_empty() || order.reference == reference)
                            && (status == OrderStatus::Unspecified || order.status() == status)
                    };
                    let wanted: Vec<Order> = expected.iter().filter(matches).cloned().collect();
                    let listed = pages(&served, &request).await;
                    assert!(listed.iter().all(|page| page.len() <= 2));
                    assert_eq!(listed.concat(), wanted, "{request:?}");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_wrong_in_itself_is_refused_and_says_why() {
    let served = Served::start().await;
    for _ in 0..2 {
        create(&served, "a", "r-1").await;
    }
    let filtered = ListOrdersRequest {
        page_size: 1,
        customer_id: "a".to_owned(),
        status: OrderStatus::Pending.into(),
        reference: "r-1".to_owned(),
        page_token: String::new(),
    };
    let token = list(&served, &filtered).await.next_page_token;
    assert!(!token.is_empty());
    let before = served.rows().await;
    let good = ListOrdersRequest { page_token: token.clone(), ..filtered };
    let other = || good.clone();
    let token_message = "page_token is not one of a list with these filters";
    let size_message = "page_size must be between 0 and 1000";
    for (request, message) in [
        (ListOrdersRequest { page_size: -1, ..other() }, size_message),
        (ListOrdersRequest { page_size: 1_001, ..other() }, size_message),
        (ListOrdersRequest { page_token: "x".to_owned(), ..other() }, token_message),
        (ListOrdersRequest { page_token: token[1..].to_owned(), ..other() }, token_message),
        (ListOrdersRequest { customer_id: "b".to_owned(), ..other() }, token_message),
        (ListOrdersRequest { customer_id: String::new(), ..other() }, token_message),
        (ListOrdersRequest { status: OrderStatus::Paid.into(), ..other() }, token_message),
        (ListOrdersRequest { reference: "r-2".to_owned(), ..other() }, token_message),
        (
            ListOrdersRequest {
                customer_id: "x".repeat(257),
                page_token: String::new(),
                ..other()
            },
            "customer_id must be at most 256 bytes",
        ),
        (
            ListOrdersRequest { reference: "a\0".to_owned(), page_token: String::new(), ..other() },
            "reference must not contain NUL",
        ),
        (
            ListOrdersRequest { status: 9, page_token: String::new(), ..other() },
            "status is unknown",
        ),
    ] {
        let refused = served.client.clone().list_orders(request.clone()).await.unwrap_err();
        assert_eq!((refused.code(), refused.message()), (Code::InvalidArgument, message));
        let details = refused.get_error_details();
        let violations = &details.bad_request().unwrap().field_violations;
        assert_eq!(violations[0].description, message, "{request:?}");
    }
    let everything = ListOrdersRequest { page_size: 9_999, status: -1, ..other() };
    let refused = served.client.clone().list_orders(everything).await.unwrap_err();
    let details = refused.get_error_details();
    let fields: Vec<_> =
        details.bad_request().unwrap().field_violations.iter().map(|v| v.field.clone()).collect();
    assert_eq!(fields, ["page_size", "status", "page_token"]);
    // Another size goes on where the page before ended.
    let rest = list(&served, &ListOrdersRequest { page_size: 1_000, ..other() }).await;
    assert_eq!((rest.orders.len(), rest.next_page_token.as_str()), (1, ""));
    assert_eq!(served.rows().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_large_orders_ends_before_three_mebibytes() {
    let served = Served::start().await;
    let text = "x".repeat(250);
    for n in 0..13 {
        let mut request = create_for("large", 1);
        let large = |n: usize| {
            let mut item = item(&format!("{n:06}{text}"), 1, 1);
            item.name.clone_from(&text);
            item
        };
        request.items = (0..500).map(large).collect();
        let request = keyed(&format!("large-{n}"), request);
        served.client.clone().create_order(request).await.unwrap();
    }
    let request = ListOrdersRequest { page_size: 1_000, ..Default::default() };
    let first = list(&served, &request).await;
    assert!(first.encoded_len() < 3 * 1024 * 1024 && first.encoded_len() > 2 * 1024 * 1024);
    let listed = pages(&served, &request).await;
    assert!(listed.len() > 1);
    let mut ids: Vec<_> = listed.concat().into_iter().map(|order| order.id).collect();
    assert!(listed.concat().iter().all(|order| order.items.len() == 500));
    ids.dedup();
    assert_eq!(ids.len(), 13);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_to_list_is_an_empty_last_page() {
    let served = Served::start().await;
    assert_eq!(list(&served, &ListOrdersRequest::default()).await, ListOrdersResponse::default());
}
