//! Amounts that are none of their currency, and those that only look so.

use oms_proto::orders::CreateOrderRequest;
use oms_service::testing::Backend;
use tonic::Code;

use super::caller::{client, create, get, patient};
use crate::served::Served;

fn priced(unit_price: f64, currency: &str) -> CreateOrderRequest {
    let mut request = create();
    request.items.truncate(1);
    currency.clone_into(&mut request.currency);
    let item = &mut request.items[0];
    (item.unit_price, item.quantity) = (unit_price, 1);
    currency.clone_into(&mut item.currency);
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_is_exact_or_refused() {
    let served = Served::start_with(&Backend::Sqlite, patient).await;
    let mut client = client(&served).await;
    for (price, currency, why) in [
        (0.1 + 0.2, "USD", "must have at most 2 decimals in USD"),
        (19.999, "USD", "must have at most 2 decimals in USD"),
        (100.5, "JPY", "must have at most 0 decimals in JPY"),
        (0.000_1, "KWD", "must have at most 3 decimals in KWD"),
        (-0.0, "USD", "must be positive"),
        (-999.99, "USD", "must be positive"),
        (f64::NAN, "USD", "must be a number"),
        (f64::INFINITY, "USD", "must be a number"),
        (1e300, "USD", "is out of range"),
        (1e13, "USD", "is out of range"),
    ] {
        let refused = client.create_order(priced(price, currency)).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{price}");
        assert_eq!(refused.message(), format!("items[0].unitPrice {why}"), "{price}");
    }
    assert_eq!(served.orders().await, 0);
    for (price, currency, minor) in [
        (0.3, "USD", 30),
        (999.99, "USD", 99_999),
        (100.0, "JPY", 100),
        (0.001, "KWD", 1),
        (9_999_999_999_999.99, "USD", 999_999_999_999_999),
    ] {
        let answer = client.create_order(priced(price, currency)).await.unwrap().into_inner();
        let order = answer.order.unwrap();
        assert_eq!((order.items[0].unit_price, order.total_amount), (price, price));
        assert_eq!(get(&mut client, &order.id).await, order);
        assert_eq!(served.view(&order.id).await.order.unwrap().amount_minor, minor);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_total_of_many_prices_is_the_exact_sum_converted_once() {
    let served = Served::start_with(&Backend::Sqlite, patient).await;
    let mut client = client(&served).await;
    let mut request = create();
    request.items = (1..=500)
        .map(|n| {
            let product = format!("550e8400-e29b-41d4-a716-{n:012}");
            super::caller::item(&product, "", 1, 0.1)
        })
        .collect();
    // Summed as doubles it would be 49.99999999999978.
    let order = client.create_order(request).await.unwrap().into_inner().order.unwrap();
    assert_eq!(order.total_amount, 50.0);
}
