//! For what an order waits (rule 10), and when it has ended.

use oms_order::domain::Noted;

use crate::support::{Stage, cause, totals, usd};

#[test]
fn an_order_waits_while_a_run_is_open_or_a_compensation_unsettled() {
    for stage in Stage::ALL {
        let waits = match stage {
            Stage::Paying
            | Stage::Reserved
            | Stage::Refunding
            | Stage::Amending
            | Stage::CanceledAmending
            | Stage::Canceled
            | Stage::CanceledEarly
            | Stage::CanceledRefunding
            | Stage::Refunded
            | Stage::Shipped
            | Stage::ShippedRefunding
            | Stage::Completed
            | Stage::RefundedShipped => true,
            Stage::Pending | Stage::Confirmed | Stage::CanceledPending => false,
        };
        assert_eq!(stage.build(1).is_waiting(), waits, "{stage:?}");
    }
}

#[test]
fn a_canceled_order_waits_for_both_words_in_either_order() {
    for released_first in [true, false] {
        let mut order = Stage::CanceledEarly.build(1);
        let closed = totals(1, 0, 0);
        if released_first {
            order.note_released(&cause(60)).unwrap();
        } else {
            order.note_closed(closed, &cause(60)).unwrap();
        }
        assert!(order.is_waiting() && !order.has_ended());
        order.note_released(&cause(61)).unwrap();
        order.note_closed(closed, &cause(61)).unwrap();
        assert!(!order.is_waiting() && order.has_ended());
    }
}

#[test]
fn a_canceled_order_with_a_refund_run_waits_for_its_answer_too() {
    let mut order = Stage::CanceledRefunding.build(1);
    order.note_released(&cause(60)).unwrap();
    order.note_closed(totals(3, 25_000, 25_000), &cause(61)).unwrap();
    assert!(order.is_waiting());
    let id = Stage::refund_id().to_string();
    order.note_refunded(&id, usd(25_000), totals(2, 25_000, 25_000), &cause(62)).unwrap();
    assert!(!order.is_waiting() && order.has_ended());
}

#[test]
fn a_refunded_order_waits_until_the_hold_is_gone() {
    let mut order = Stage::Refunded.build(1);
    assert!(!order.has_ended());
    order.note_released(&cause(60)).unwrap();
    assert!(!order.is_waiting() && order.has_ended());
}

#[test]
fn a_canceled_order_that_keeps_money_has_not_ended() {
    let mut order = Stage::Canceled.build(1);
    order.note_released(&cause(60)).unwrap();
    order.note_closed(totals(3, 25_000, 0), &cause(61)).unwrap();
    assert!(!order.is_waiting() && !order.has_ended());
}

#[test]
fn a_shipped_order_waits_until_the_shipment_is_booked_out_whatever_became_of_it() {
    for (stage, ends) in
        [(Stage::Shipped, false), (Stage::Completed, true), (Stage::RefundedShipped, true)]
    {
        let mut order = stage.build(1);
        let version = order.version();
        assert_eq!(order.note_dispatched(&cause(60)), Ok(Noted::Moved), "{stage:?}");
        assert_eq!((order.is_waiting(), order.has_ended()), (false, ends), "{stage:?}");
        assert_eq!(order.version(), version, "it is no entry of the timeline");
        assert_eq!(order.note_dispatched(&cause(61)), Ok(Noted::Already));
    }
    let mut open = Stage::ShippedRefunding.build(1);
    open.note_dispatched(&cause(60)).unwrap();
    assert!(open.is_waiting(), "for the refund");
}

#[test]
fn an_order_whose_hold_goes_back_knows_of_no_shipment() {
    let mut order = Stage::Refunded.build(1);
    assert_eq!(order.note_dispatched(&cause(60)), Ok(Noted::Already));
    assert!(!order.state().dispatched && order.is_waiting());
}
