//! What no order can be made of.

use oms_proto::oms_v1::{CreateOrderRequest, Money};

use super::stage::Stage;
use crate::served::{create, create_for, item, keyed};

type Change = fn(&mut CreateOrderRequest);

fn long(bytes: usize) -> String {
    "x".repeat(bytes)
}

fn price(request: &mut CreateOrderRequest) -> &mut Money {
    request.items[0].price.as_mut().unwrap()
}

fn wrong() -> Vec<Change> {
    vec![
        |r| *r = CreateOrderRequest::default(),
        |r| " \t".clone_into(&mut r.customer_id),
        |r| r.customer_id = long(257),
        |r| "a\0b".clone_into(&mut r.customer_id),
        |r| r.currency.clear(),
        |r| "usd".clone_into(&mut r.currency),
        |r| "XAU".clone_into(&mut r.currency),
        |r| r.currency = long(5_000),
        |r| r.items.clear(),
        |r| r.items = vec![r.items[0].clone(); 501],
        |r| r.items = vec![r.items[0].clone(); 10_000],
        |r| r.items[0].sku.clear(),
        |r| r.items[0].sku = long(257),
        |r| "\0".clone_into(&mut r.items[0].sku),
        |r| r.items[0].qty = 0,
        |r| r.items[0].qty = i32::MIN,
        |r| r.items[0].qty = 1_000_001,
        |r| r.items[0].name = long(257),
        |r| "\0".clone_into(&mut r.items[0].name),
        |r| r.items[0].price = None,
        |r| price(r).currency.clear(),
        |r| "EUR".clone_into(&mut price(r).currency),
        |r| price(r).amount_minor = 0,
        |r| price(r).amount_minor = i64::MIN,
        |r| r.reference = long(257),
        |r| "\0".clone_into(&mut r.reference),
        |r| {
            price(r).amount_minor = i64::MAX;
            r.items[0].qty = 2;
        },
        |r| {
            price(r).amount_minor = i64::MAX;
            r.items.push(item("SKU-002", 1, 1));
        },
        |r| {
            *r = CreateOrderRequest::default();
            r.items = vec![item("", -1, -1); 2];
        },
    ]
}

pub(super) async fn refused(stage: &mut Stage) {
    const METHOD: &str = "CreateOrder";
    let mut client = stage.client();
    for change in wrong() {
        let mut request = create();
        change(&mut request);
        stage.refused(METHOD, client.create_order(keyed("free", request))).await;
    }
    for key in ["", &"k".repeat(256)] {
        stage.refused(METHOD, client.create_order(keyed(key, create()))).await;
    }
    let mut twice = keyed("one", create());
    twice.metadata_mut().append("idempotency-key", "two".parse().unwrap());
    stage.refused(METHOD, client.create_order(twice)).await;
    // A wrong key and a wrong body are told together.
    let both = CreateOrderRequest { customer_id: String::new(), ..create() };
    stage.refused(METHOD, client.create_order(keyed("", both))).await;
    client.create_order(keyed("used", create())).await.unwrap();
    stage.refused(METHOD, client.create_order(keyed("used", create_for("other", 1)))).await;
}

/// 400 items, each wrong in three ways: the client can still read the answer.
#[tokio::test(flavor = "multi_thread")]
async fn four_hundred_wrong_items_are_told_within_what_a_client_reads() {
    let mut stage = Stage::set().await;
    let mut client = stage.client();
    let mut request = create();
    request.items = vec![item("", 0, 0); 400];
    stage.refused("CreateOrder", client.create_order(request)).await;
    let mut request = create();
    for sku in [long(100_000), "\u{7f}\0é".repeat(60), "\0".repeat(256)] {
        request.items = vec![item(&sku, 0, 0); 5];
        stage.refused("CreateOrder", client.create_order(request.clone())).await;
    }
}
