//! GetOrders: every order once, newest first, by tokens or by numbers.

use oms_proto::orders::{GetOrdersRequest, GetOrdersResponse, Order};
use oms_service::testing::Backend;

use super::caller::{Client, client, created, get, patient};
use crate::served::{Served, each_backend};

async fn page(client: &mut Client, request: GetOrdersRequest) -> GetOrdersResponse {
    client.get_orders(request).await.unwrap().into_inner()
}

fn ids(orders: &[Order]) -> Vec<&str> {
    orders.iter().map(|order| order.id.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_request_lists_all_orders_and_fills_every_field() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, patient).await;
        let mut client = client(&served).await;
        let none = page(&mut client, GetOrdersRequest::default()).await;
        let empty = GetOrdersResponse { page_number: 1, page_size: 1_000, ..Default::default() };
        assert_eq!(none, empty);
        let mut all = Vec::new();
        for _ in 0..5 {
            all.insert(0, created(&mut client).await);
        }
        let listed = page(&mut client, GetOrdersRequest::default()).await;
        assert_eq!(listed.orders, all, "as GetOrder tells them");
        assert_eq!((listed.total_count, listed.page_number, listed.page_size), (5, 1, 1_000));
        assert_eq!(listed.next_page_token, "");
        assert_eq!(get(&mut client, &all[0].id).await, all[0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_by_token_and_by_number_meet_every_order_once() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, patient).await;
        let mut client = client(&served).await;
        let mut all = Vec::new();
        for _ in 0..7 {
            all.insert(0, created(&mut client).await.id);
        }
        let (mut by_token, mut by_number) = (Vec::new(), Vec::new());
        let mut request = GetOrdersRequest { page_size: 3, ..Default::default() };
        for number in 1..=3 {
            let listed = page(&mut client, request.clone()).await;
            assert_eq!((listed.page_number, listed.total_count), (number, 7));
            by_token.extend(ids(&listed.orders).into_iter().map(str::to_owned));
            request.page_token = listed.next_page_token;
            let numbered =
                GetOrdersRequest { page_number: number, page_size: 3, ..Default::default() };
            let listed = page(&mut client, numbered).await;
            assert_eq!((listed.page_number, listed.page_size), (number, 3));
            by_number.extend(ids(&listed.orders).into_iter().map(str::to_owned));
        }
        assert_eq!(request.page_token, "", "the last page says that it is");
        assert_eq!(by_token, all);
        assert_eq!(by_number, all);
        for number in [4, i32::MAX] {
            let beyond =
                GetOrdersRequest { page_number: number, page_size: 3, ..Default::default() };
            let listed = page(&mut client, beyond).await;
            assert!(listed.orders.is_empty() && listed.next_page_token.is_empty());
            assert_eq!((listed.total_count, listed.page_number), (7, number));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_meanwhile_moves_no_page_of_a_walk_by_token() {
    let served = Served::start_with(&Backend::Sqlite, patient).await;
    let mut client = client(&served).await;
    let mut all = Vec::new();
    for _ in 0..4 {
        all.insert(0, created(&mut client).await.id);
    }
    let first = GetOrdersRequest { page_size: 2, ..Default::default() };
    let first = page(&mut client, first).await;
    created(&mut client).await;
    let next = GetOrdersRequest {
        page_size: 2,
        page_token: first.next_page_token.clone(),
        ..Default::default()
    };
    let second = page(&mut client, next).await;
    assert_eq!([ids(&first.orders), ids(&second.orders)].concat(), all);
    assert_eq!(second.total_count, 5);
}
