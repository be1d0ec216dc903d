//! ShipOrder and CompleteOrder.

use oms_order::domain::{Fact, Fulfilling, Order, Refusal, RunKind, Status};
use uuid::Uuid;

use crate::support::{Stage, call, cause, confirmed, shipped, totals, usd};

fn refunding(minor: Option<i64>) -> Order {
    let mut order = confirmed(1);
    order.request_refund(Uuid::from_u128(1), minor.map(usd), "", &call(4)).unwrap();
    order
}

fn give(order: &mut Order, minor: i64) {
    let id = Uuid::from_u128(1).to_string();
    order.note_refunded(&id, usd(minor), totals(2, 25_000, minor), &cause(6)).unwrap();
}

#[test]
fn a_confirmed_order_ships_the_lines_in_force_and_says_so() {
    let mut order = confirmed(1);
    order.take_facts();
    assert_eq!(order.ship(&call(5)), Ok(Fulfilling::Done));
    assert_eq!((order.status(), order.version()), (Status::Shipped, 5));
    let (saga_id, lines) = (order.saga_id(), order.lines().to_vec());
    assert!(saga_id.is_some());
    assert_eq!(order.take_facts(), [Fact::Shipped { saga_id, revision: 1, lines }]);
    let last = order.take_entries().pop().unwrap();
    assert_eq!((last.event_type, last.payload.as_str()), ("OrderStatusChanged", SHIPPED));
}

const SHIPPED: &str = r#"{"status":"shipped"}"#;
const COMPLETED: &str = r#"{"status":"completed"}"#;

#[test]
fn a_shipped_order_is_completed_whether_its_shipment_is_booked_out_or_not() {
    for booked_out in [false, true] {
        let mut order = shipped(1);
        if booked_out {
            order.note_dispatched(&cause(6)).unwrap();
        }
        order.take_facts();
        assert_eq!(order.complete(&call(7)), Ok(Fulfilling::Done));
        assert_eq!(order.status(), Status::Completed);
        let saga_id = order.saga_id();
        assert_eq!(order.take_facts(), [Fact::Completed { saga_id }]);
        let last = order.take_entries().pop().unwrap();
        assert_eq!((last.event_type, last.payload.as_str()), ("OrderStatusChanged", COMPLETED));
        assert_eq!(order.has_ended(), booked_out);
    }
}

#[test]
fn the_second_time_nothing_is_shipped_or_completed() {
    type Verb = fn(&mut Order) -> Result<Fulfilling, Refusal>;
    let verbs: [(Stage, Verb); 2] =
        [(Stage::Shipped, |o| o.ship(&call(9))), (Stage::Completed, |o| o.complete(&call(9)))];
    for (stage, verb) in verbs {
        let mut order = stage.build(1);
        order.take_facts();
        let before = order.state().clone();
        assert_eq!(verb(&mut order), Ok(Fulfilling::Already), "{stage:?}");
        assert_eq!(order.state(), &before);
        assert!(order.take_facts().is_empty());
    }
}

#[test]
fn what_is_not_allowed_names_the_status_and_changes_nothing() {
    for stage in Stage::ALL {
        let mut order = stage.build(1);
        let (before, status) = (order.state().clone(), order.status());
        let ships = [Stage::Confirmed, Stage::Refunding, Stage::Shipped, Stage::ShippedRefunding];
        if stage == Stage::Amending {
            assert_eq!(order.ship(&call(9)), Err(Refusal::Busy));
        } else if !ships.contains(&stage) {
            assert_eq!(order.ship(&call(9)), Err(Refusal::NotShippable(status)), "{stage:?}");
        }
        if ![Status::Shipped, Status::Completed].contains(&status) {
            let refused = Err(Refusal::NotCompletable(status));
            assert_eq!(order.complete(&call(9)), refused, "{stage:?}");
        }
        assert_eq!(order.state(), &before, "{stage:?}");
    }
    let told = Refusal::NotShippable(Status::Pending).to_string();
    assert_eq!(told, "order cannot be shipped in status pending");
    let told = Refusal::NotCompletable(Status::Confirmed).to_string();
    assert_eq!(told, "order cannot be completed in status confirmed");
}

#[test]
fn a_refund_run_for_all_that_is_left_has_to_end_first() {
    for minor in [None, Some(25_000)] {
        let mut order = refunding(minor);
        let before = order.state().clone();
        assert_eq!(order.ship(&call(5)), Err(Refusal::Busy));
        assert_eq!(order.state(), &before, "it stays as it was");
        give(&mut order, 25_000);
        assert_eq!(order.ship(&call(7)), Err(Refusal::NotShippable(Status::Refunded)));
    }
    let mut failed = refunding(None);
    let id = Uuid::from_u128(1).to_string();
    failed.note_refund_failed(&id, usd(25_000), "no", totals(2, 25_000, 0), &cause(6)).unwrap();
    assert_eq!(failed.ship(&call(7)), Ok(Fulfilling::Done));
}

#[test]
fn a_refund_run_for_the_rest_of_it_counts_as_one_for_all() {
    let mut order = refunding(Some(10_000));
    give(&mut order, 10_000);
    order.request_refund(Uuid::from_u128(2), None, "", &call(7)).unwrap();
    assert_eq!(order.ship(&call(8)), Err(Refusal::Busy));
}

#[test]
fn a_refund_run_for_a_part_does_not_hinder_shipping_and_goes_on() {
    let mut order = refunding(Some(24_999));
    assert_eq!(order.ship(&call(5)), Ok(Fulfilling::Done));
    assert_eq!((order.status(), order.run_kind()), (Status::Shipped, RunKind::Refund));
    order.take_facts();
    give(&mut order, 24_999);
    assert_eq!((order.status(), order.shown_status()), (Status::Shipped, Status::Refunded));
    assert!(order.take_facts().is_empty(), "one cent is left");
}

#[test]
fn everything_given_back_after_shipping_releases_nothing_whatever_ended_first() {
    let mut order = Stage::ShippedRefunding.build(1);
    assert_eq!(order.complete(&call(12)), Ok(Fulfilling::Done), "no refund run hinders it");
    order.take_facts();
    let (refund_id, given) = (Stage::refund_id(), totals(2, 25_000, 25_000));
    order.note_refunded(&refund_id.to_string(), usd(25_000), given, &cause(13)).unwrap();
    assert_eq!(order.status(), Status::Refunded);
    assert_eq!(order.take_facts(), [Fact::Refunded { refund_id, release: false }]);
    assert!(order.has_shipped() && order.is_waiting(), "for `dispatched` alone");
}
