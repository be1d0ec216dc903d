//! Creating an order.

use oms_order::domain::{Currency, Fact, InvalidOrder, Money, NewOrder, Order, RunKind, Status};

use crate::support::{at, call, line, new_order, usd};

#[test]
fn a_new_order_is_pending_at_version_one_and_says_so() {
    let mut order = Order::create(new_order(1), &call(0)).unwrap();
    assert_eq!((order.status(), order.run_kind()), (Status::Pending, RunKind::Idle));
    assert_eq!((order.version(), order.revision()), (1, 0));
    assert_eq!(order.total(), usd(25_000));
    assert_eq!((order.created_at(), order.updated_at()), (at(0), at(0)));
    let facts = order.take_facts();
    assert!(matches!(&facts[..], [Fact::Created { total, lines }]
        if *total == usd(25_000) && lines.len() == 2));
    assert!(order.take_facts().is_empty(), "a fact is taken once");
}

#[test]
fn what_cannot_be_an_order_is_named() {
    let with = |change: fn(&mut NewOrder)| {
        let mut new = new_order(1);
        change(&mut new);
        Order::create(new, &call(0)).unwrap_err()
    };
    let yen = |new: &mut NewOrder| {
        new.lines[1].price = Money::new(5, Currency::parse("JPY").unwrap());
    };
    let endless = |new: &mut NewOrder| {
        new.lines = vec![line(1, "A", 2, i64::MAX / 2), line(2, "B", 1, 2)];
    };
    assert_eq!(with(|new| new.customer_id.clear()), InvalidOrder::NoCustomer);
    assert_eq!(with(|new| new.lines.clear()), InvalidOrder::NoLines);
    assert_eq!(with(|new| new.lines[1].sku.clear()), InvalidOrder::NoSku(1));
    assert_eq!(with(|new| new.lines[0].qty = 0), InvalidOrder::NoQuantity(0));
    assert_eq!(with(|new| new.lines[0].qty = -1), InvalidOrder::NoQuantity(0));
    assert_eq!(with(|new| new.lines[1].price = usd(0)), InvalidOrder::NoPrice(1));
    assert_eq!(with(yen), InvalidOrder::OtherCurrency(1));
    assert_eq!(with(endless), InvalidOrder::TotalOutOfRange);
}

#[test]
fn the_first_violation_has_the_documents_words() {
    assert_eq!(InvalidOrder::NoCustomer.to_string(), "customer_id is required");
    assert_eq!(InvalidOrder::NoLines.to_string(), "order must contain at least one item");
    assert_eq!(InvalidOrder::NoSku(0).to_string(), "item[0].sku is required");
    assert_eq!(InvalidOrder::NoQuantity(0).to_string(), "item[0].qty must be positive");
    assert_eq!(InvalidOrder::NoPrice(0).to_string(), "item[0].price.amount_minor must be positive");
    assert_eq!(InvalidOrder::OtherCurrency(0).to_string(), "item[0].price.currency mismatch");
}
