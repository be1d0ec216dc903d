//! Every rule and its message; a refused call changes nothing.

use oms_proto::oms_v1::{
    CancelOrderRequest, CreateOrderRequest, Money, PayOrderRequest, RefundOrderRequest,
};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::served::{Served, cancel, create, get, item, keyed, pay, refund, usd};

type Change<T> = fn(&mut T);

fn long(bytes: usize) -> String {
    "x".repeat(bytes)
}

fn price(request: &mut CreateOrderRequest) -> &mut Money {
    request.items[0].price.as_mut().unwrap()
}

fn wrong_orders() -> Vec<(&'static str, Change<CreateOrderRequest>)> {
    vec![
        ("customer_id is required", |r| r.customer_id.clear()),
        ("customer_id is required", |r| "  ".clone_into(&mut r.customer_id)),
        ("customer_id must be at most 256 bytes", |r| r.customer_id = long(257)),
        ("customer_id must not contain NUL", |r| "a\0b".clone_into(&mut r.customer_id)),
        ("currency is required", |r| r.currency.clear()),
        ("currency must be an upper-case ISO 4217 code", |r| "usd".clone_into(&mut r.currency)),
        ("currency must be an upper-case ISO 4217 code", |r| "ABC".clone_into(&mut r.currency)),
        ("currency must be an upper-case ISO 4217 code", |r| "XAU".clone_into(&mut r.currency)),
        ("order must contain at least one item", |r| r.items.clear()),
        ("order must contain at most 500 items", |r| r.items = vec![r.items[0].clone(); 501]),
        ("item[0].sku is required", |r| r.items[0].sku.clear()),
        ("item[0].sku must be at most 256 bytes", |r| r.items[0].sku = long(257)),
        ("item[0].qty must be positive", |r| r.items[0].qty = 0),
        ("item[0].qty must be positive", |r| r.items[0].qty = -1),
        ("item[0].qty must be at most 1000000", |r| r.items[0].qty = 1_000_001),
        ("item[0].name must be at most 256 bytes", |r| r.items[0].name = long(257)),
        ("item[0].price is required", |r| r.items[0].price = None),
        ("item[0].price.currency is required", |r| price(r).currency.clear()),
        ("item[0].price.currency mismatch", |r| "EUR".clone_into(&mut price(r).currency)),
        ("item[0].price.amount_minor must be positive", |r| price(r).amount_minor = 0),
        ("item[0].price.amount_minor must be positive", |r| price(r).amount_minor = -5),
        ("item[1].qty must be positive", |r| r.items.push(item("SKU-002", 0, 5))),
        ("reference must be at most 256 bytes", |r| r.reference = long(257)),
        ("order total is out of range", |r| {
            price(r).amount_minor = i64::MAX;
            r.items[0].qty = 2;
        }),
        ("order total is out of range", |r| {
            price(r).amount_minor = i64::MAX;
            r.items.push(item("SKU-002", 1, 1));
        }),
    ]
}

fn is_invalid(status: &Status, message: &str) {
    assert_eq!((status.code(), status.message()), (Code::InvalidArgument, message));
    let details = status.get_error_details();
    let first = &details.bad_request().unwrap().field_violations[0];
    assert_eq!(first.description, message);
    assert_eq!(details.error_info().unwrap().domain, "oms");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_order_is_refused_with_its_message_and_leaves_no_row() {
    let served = Served::start().await;
    let mut client = served.client.clone();
    client.create_order(create()).await.unwrap();
    let before = served.rows().await;
    for (message, change) in wrong_orders() {
        let mut request = create();
        change(&mut request);
        let refused = client.create_order(keyed("a-key", request)).await.unwrap_err();
        is_invalid(&refused, message);
        assert_eq!(served.rows().await, before, "{message}");
    }
    // The key was not remembered by any of them.
    let response = client.create_order(keyed("a-key", create())).await.unwrap();
    assert!(!crate::served::is_replay(response.metadata()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_just_within_the_limits_is_taken() {
    let served = Served::start().await;
    let mut client = served.client.clone();
    let mut request = create();
    request.items = (0..500).map(|i| item(&format!("SKU-{i}"), 1_000_000, 1)).collect();
    request.items[0].sku = long(256);
    request.items[0].name = long(256);
    request.customer_id = long(256);
    request.reference = long(256);
    let order = client.create_order(request).await.unwrap().into_inner().order_id;
    let view = served.view(&order).await.order.unwrap();
    assert_eq!((view.items.len(), view.amount_minor), (500, 500_000_000));

    let mut request = create();
    request.currency = "JPY".to_owned();
    request.items[0].price = Some(Money { currency: "JPY".to_owned(), amount_minor: i64::MAX });
    let order = client.create_order(request).await.unwrap().into_inner().order_id;
    assert_eq!(served.view(&order).await.order.unwrap().amount_minor, i64::MAX);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_wishes_about_an_order_are_refused_and_change_nothing() {
    let served = Served::start().await;
    let order = served.confirmed(10_000).await;
    let mut client = served.client.clone();
    let before = served.rows().await;

    is_invalid(&client.get_order(get("")).await.unwrap_err(), "order_id is required");
    is_invalid(&client.pay_order(pay(" ")).await.unwrap_err(), "order_id is required");
    is_invalid(&client.cancel_order(cancel("")).await.unwrap_err(), "order_id is required");
    is_invalid(&client.refund_order(refund("", None)).await.unwrap_err(), "order_id is required");

    let unknown = PayOrderRequest { payment_method: "pm_gold".to_owned(), ..pay(&order) };
    is_invalid(&client.pay_order(unknown).await.unwrap_err(), "payment_method is unknown");
    let wordy = CancelOrderRequest { reason: long(1_025), ..cancel(&order) };
    let message = "reason must be at most 1024 bytes";
    is_invalid(&client.cancel_order(wordy).await.unwrap_err(), message);

    let refunds: [(&str, Change<RefundOrderRequest>); 8] = [
        ("reason must be at most 1024 bytes", |r| r.reason = long(1_025)),
        ("reason must not contain NUL", |r| "\0".clone_into(&mut r.reason)),
        ("amount.amount_minor must be positive", |r| r.amount = Some(usd(0))),
        ("amount.amount_minor must be positive", |r| r.amount = Some(usd(-1))),
        ("amount.currency is required", |r| {
            r.amount = Some(Money { currency: String::new(), amount_minor: 1 });
        }),
        ("amount.currency must be an upper-case ISO 4217 code", |r| {
            r.amount = Some(Money { currency: "usd".to_owned(), amount_minor: 1 });
        }),
        ("amount.currency mismatch", |r| {
            r.amount = Some(Money { currency: "EUR".to_owned(), amount_minor: 1 });
        }),
        ("refund exceeds the captured amount", |r| r.amount = Some(usd(10_001))),
    ];
    for (message, change) in refunds {
        let mut request = refund(&order, None);
        change(&mut request);
        is_invalid(&client.refund_order(keyed("k", request)).await.unwrap_err(), message);
        assert_eq!(served.rows().await, before, "{message}");
    }
    assert_eq!(served.rows().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_violations_come_at_once_and_the_message_is_the_first() {
    let served = Served::start().await;
    let mut request = create();
    request.customer_id.clear();
    request.items[0].sku.clear();
    request.items[0].price = None;
    let refused = served.client.clone().create_order(request).await.unwrap_err();
    assert_eq!(refused.message(), "customer_id is required");
    let details = refused.get_error_details();
    let violations = &details.bad_request().unwrap().field_violations;
    let said: Vec<_> =
        violations.iter().map(|v| (v.field.as_str(), v.description.as_str())).collect();
    assert_eq!(
        said,
        [
            ("customer_id", "customer_id is required"),
            ("items[0].sku", "item[0].sku is required"),
            ("items[0].price", "item[0].price is required"),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn very_many_violations_still_fit_into_an_answer() {
    let served = Served::start().await;
    let mut request = create();
    request.items = vec![item("", 0, 0); 500];
    let refused = served.client.clone().create_order(request).await.unwrap_err();
    assert_eq!(refused.message(), "item[0].sku is required");
    let details = refused.get_error_details();
    let violations = &details.bad_request().unwrap().field_violations;
    assert!(violations.len() <= 20);
    let last = &violations.last().unwrap().description;
    assert_eq!(last, &format!("… and {} more", 1_500 - (violations.len() - 1)));
}
