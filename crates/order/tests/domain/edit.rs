//! Plain changes of what is ordered.

use oms_order::domain::{
    Currency, Edit, Editing, InvalidOrder, LINES_MAX, Line, Order, Placed, Refusal, RunKind,
    Status,
    table::{self, EditVerdict},
    total,
};
use proptest::prelude::*;
use uuid::Uuid;

use crate::support::{Stage, at, call, line, order, terms, usd};

/// The lines of [`order`]`(1)`.
const FIRST: Uuid = Uuid::from_u128(0x11_0000 + 10);
const SECOND: Uuid = Uuid::from_u128(0x11_0000 + 11);

fn new(n: u128, sku: &str, qty: i32, price: i64) -> Line {
    Line { created_at: at(20), ..line(100 + n, sku, qty, price) }
}

fn edit(order: &mut Order, edit: Edit) -> Result<Editing, Refusal> {
    order.edit(edit, terms(), &call(20))
}

fn replace(lines: Vec<Placed>) -> Edit {
    Edit::Replace { customer_id: None, currency: None, lines }
}

fn added(line: Line) -> Placed {
    Placed { changes: None, line }
}

fn changed(id: Uuid, line: Line) -> Placed {
    Placed { changes: Some(id), line }
}

fn skus(order: &Order) -> Vec<&str> {
    order.lines().iter().map(|line| line.sku.as_str()).collect()
}

#[test]
fn a_line_is_added_removed_and_changed_in_quantity() {
    let mut order = order(1);
    order.take_entries();
    order.take_facts();
    assert_eq!(edit(&mut order, Edit::Add(new(1, "SKU-003", 1, 700))), Ok(Editing::Done));
    assert_eq!((order.total(), order.lines().len()), (usd(25_700), 3));
    assert_eq!(edit(&mut order, Edit::Remove { line: SECOND }), Ok(Editing::Done));
    assert_eq!(skus(&order), ["SKU-001", "SKU-003"]);
    let three = Edit::SetQuantity { line: FIRST, qty: 3 };
    assert_eq!(edit(&mut order, three), Ok(Editing::Done));
    assert_eq!((order.total(), order.lines()[0].id), (usd(30_700), FIRST));
    assert_eq!((order.status(), order.version(), order.updated_at()), (Status::Pending, 4, at(20)));
    assert!(order.take_facts().is_empty(), "nobody else has heard of its lines");
    let told: Vec<_> =
        order.take_entries().into_iter().map(|e| (e.event_type, e.payload)).collect();
    let payload = |change, items, minor| {
        format!(
            r#"{{"amount_minor":{minor},"change":"{change}","currency":"USD","items":{items}}}"#
        )
    };
    let expected = [
        ("OrderEdited", payload("item_added", 3, 25_700)),
        ("OrderEdited", payload("item_removed", 2, 20_700)),
        ("OrderEdited", payload("quantity_changed", 2, 30_700)),
    ];
    assert_eq!(told, expected);
}

#[test]
fn lines_that_are_replaced_keep_their_id_and_their_instant() {
    let mut order = order(1);
    let lines = vec![
        added(new(1, "SKU-003", 1, 700)),
        changed(FIRST, Line { name: "Max".to_owned(), ..new(2, "SKU-009", 1, 900) }),
    ];
    assert_eq!(edit(&mut order, replace(lines)), Ok(Editing::Done));
    assert_eq!(skus(&order), ["SKU-003", "SKU-009"]);
    let [fresh, known] = order.lines() else { panic!("two lines") };
    assert_eq!((fresh.id, fresh.created_at), (Uuid::from_u128(0x11_0000 + 101), at(20)));
    assert_eq!((known.id, known.created_at, known.name.as_str()), (FIRST, at(0), "Max"));
    assert_eq!(order.total(), usd(1_600));
}

#[test]
fn the_customer_and_the_currency_may_change_with_the_lines() {
    let mut order = order(1);
    order.take_entries();
    let yen = Currency::parse("JPY").unwrap();
    let price = oms_order::domain::Money::new(100, yen);
    let lines = vec![changed(FIRST, Line { price, ..new(1, "SKU-001", 2, 1) })];
    let customer_id = Some("customer-9".to_owned());
    let wish = Edit::Replace { customer_id, currency: Some(yen), lines };
    assert_eq!(edit(&mut order, wish), Ok(Editing::Done));
    assert_eq!((order.customer_id(), order.currency()), ("customer-9", yen));
    assert_eq!((order.total().currency(), order.left().currency()), (yen, yen));
    let [entry] = &order.take_entries()[..] else { panic!("one entry") };
    assert!(entry.payload.contains(r#""customer_id":"customer-9""#), "{}", entry.payload);
    order.pay("pm_card_visa", Uuid::from_u128(1), at(900), &call(21)).unwrap();
}

#[test]
fn a_change_that_changes_nothing_leaves_no_trace() {
    let mut order = order(1);
    order.take_entries();
    let before = order.state().clone();
    let same = order.lines().iter().map(|line| changed(line.id, line.clone())).collect();
    assert_eq!(edit(&mut order, replace(same)), Ok(Editing::Already));
    let two = Edit::SetQuantity { line: FIRST, qty: 2 };
    assert_eq!(edit(&mut order, two), Ok(Editing::Already));
    assert!(order.take_entries().is_empty());
    assert_eq!(order.state(), &before);
}

#[test]
fn what_is_wrong_with_a_change_is_named_and_nothing_changes() {
    let nobody = Uuid::from_u128(7);
    let invalid = Refusal::Invalid;
    let mut order = order(1);
    let before = order.state().clone();
    let full = (0..LINES_MAX as u128 + 1).map(|n| added(new(n, "SKU-1", 1, 1))).collect();
    let twice = vec![changed(FIRST, new(1, "A", 1, 1)), changed(FIRST, new(2, "B", 1, 1))];
    let no_one = Edit::Replace {
        customer_id: Some(String::new()),
        currency: None,
        lines: vec![changed(FIRST, new(1, "A", 1, 1))],
    };
    let euro = Edit::Replace {
        customer_id: None,
        currency: Some(Currency::parse("EUR").unwrap()),
        lines: vec![changed(FIRST, new(1, "A", 1, 1))],
    };
    for (wish, refusal) in [
        (Edit::Remove { line: nobody }, Refusal::LineNotFound(nobody)),
        (Edit::SetQuantity { line: nobody, qty: 1 }, Refusal::LineNotFound(nobody)),
        (replace(vec![changed(nobody, new(1, "A", 1, 1))]), Refusal::LineNotFound(nobody)),
        (Edit::Add(new(1, "SKU-002", 1, 1)), Refusal::ProductTaken("SKU-002".to_owned())),
        (replace(twice), Refusal::LineTwice(FIRST)),
        (replace(Vec::new()), invalid(InvalidOrder::NoLines)),
        (replace(full), invalid(InvalidOrder::TooManyLines)),
        (Edit::SetQuantity { line: SECOND, qty: 0 }, invalid(InvalidOrder::NoQuantity(1))),
        (Edit::Add(new(1, "", 1, 1)), invalid(InvalidOrder::NoSku(2))),
        (Edit::Add(new(1, "A", 1, 0)), invalid(InvalidOrder::NoPrice(2))),
        (Edit::Add(new(1, "A", i32::MAX, i64::MAX)), invalid(InvalidOrder::TotalOutOfRange)),
        (no_one, invalid(InvalidOrder::NoCustomer)),
        (euro, invalid(InvalidOrder::OtherCurrency(0))),
    ] {
        assert_eq!(edit(&mut order, wish.clone()), Err(refusal), "{wish:?}");
        assert_eq!(order.state(), &before, "{wish:?}");
    }
    edit(&mut order, Edit::Remove { line: SECOND }).unwrap();
    assert_eq!(edit(&mut order, Edit::Remove { line: FIRST }), Err(Refusal::LastLine));
}

#[test]
fn an_order_of_another_hand_is_expected_in_vain() {
    let mut order = order(1);
    let (version, updated_at) = (order.version(), order.updated_at());
    edit(&mut order, Edit::Remove { line: SECOND }).unwrap();
    assert_eq!(order.expect_updated_at(Some(updated_at)), Err(Refusal::UpdatedMeanwhile));
    assert_eq!(order.expect_updated_at(Some(order.updated_at())), Ok(()));
    assert_eq!(order.expect_updated_at(None), Ok(()));
    let mismatch = Refusal::VersionMismatch { expected: version, actual: 2 };
    assert_eq!(order.expect_version(Some(version)), Err(mismatch));
}

/// A change of items by status × run: what the contract says.
#[test]
fn lines_change_while_the_order_is_alive_and_has_not_left() {
    for status in Status::ALL {
        for run in RunKind::ALL {
            let expected = match (status, run) {
                (Status::Pending, RunKind::Idle) => EditVerdict::Plain,
                (Status::Confirmed, RunKind::Idle) => EditVerdict::Amend,
                (Status::Reserved | Status::Paid, RunKind::Idle) => EditVerdict::Refused,
                (Status::Pending | Status::Reserved | Status::Paid | Status::Confirmed, _) => {
                    EditVerdict::Busy
                }
                _ => EditVerdict::Refused,
            };
            assert_eq!(table::edit(status, run), expected, "{status} {run:?}");
        }
    }
}

#[test]
fn orders_that_have_left_or_are_dead_are_not_changed() {
    for stage in Stage::ALL {
        let mut order = stage.build(1);
        let before = order.state().clone();
        let verdict = table::edit(order.status(), order.run_kind());
        let answer = edit(&mut order, Edit::Remove { line: SECOND });
        match verdict {
            EditVerdict::Plain => assert_eq!(answer, Ok(Editing::Done), "{stage:?}"),
            EditVerdict::Amend => assert_eq!(answer, Ok(Editing::Amending(2)), "{stage:?}"),
            EditVerdict::Busy => assert_eq!(answer, Err(Refusal::Busy), "{stage:?}"),
            EditVerdict::Refused => {
                assert_eq!(answer, Err(Refusal::NotEditable(order.status())), "{stage:?}");
            }
        }
        assert_eq!(order.state() == &before, answer.is_err(), "{stage:?}");
    }
}

/// Any change, of which many are refused.
fn any_edit() -> impl Strategy<Value = Edit> {
    let line = (0..6_u128, -1..4_i32, -1..500_i64)
        .prop_map(|(n, qty, price)| new(n, &format!("SKU-{n}"), qty, price));
    let id = prop_oneof![Just(FIRST), Just(SECOND), (0..6_u128).prop_map(line_id)];
    let placed = (prop::option::of(id.clone()), line.clone())
        .prop_map(|(changes, line)| Placed { changes, line });
    prop_oneof![
        line.prop_map(Edit::Add),
        id.clone().prop_map(|line| Edit::Remove { line }),
        (id, -1..5_i32).prop_map(|(line, qty)| Edit::SetQuantity { line, qty }),
        prop::collection::vec(placed, 0..4).prop_map(replace),
    ]
}

fn line_id(n: u128) -> Uuid {
    new(n, "", 1, 1).id
}

proptest! {
    /// Any sequence of changes, accepted or refused: the order stays one that can be submitted,
    /// and its version counts what was accepted.
    #[test]
    fn any_sequence_of_changes_leaves_an_order_that_can_be_submitted(
        edits in prop::collection::vec(any_edit(), 1..30)
    ) {
        let mut order = order(1);
        let mut version = 1;
        for wish in edits {
            let before = order.state().clone();
            match edit(&mut order, wish) {
                Ok(Editing::Done) => version += 1,
                Ok(Editing::Already) | Err(_) => prop_assert_eq!(order.state(), &before),
                Ok(Editing::Amending(_)) => prop_assert!(false, "nothing is in force"),
            }
            let ids: std::collections::BTreeSet<_> = order.lines().iter().map(|l| l.id).collect();
            prop_assert_eq!(ids.len(), order.lines().len());
            prop_assert!(!order.lines().is_empty());
            prop_assert!(order.lines().iter().all(|line| line.qty > 0 && line.price.minor() > 0));
            prop_assert_eq!(order.total(), total(order.lines(), order.currency()).unwrap());
            prop_assert_eq!(order.version(), version);
        }
        order.pay("pm_card_visa", Uuid::from_u128(1), at(900), &call(21)).unwrap();
    }
}
