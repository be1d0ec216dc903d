//! Payment's totals as the order keeps them (rule 8, I2).

use oms_order::domain::{HeardError, Noted};
use uuid::Uuid;

use crate::support::{Stage, call, cause, confirmed, paying, totals, usd};

#[test]
fn totals_of_the_highest_sequence_win_whatever_the_order_of_arrival() {
    let mut order = Stage::CanceledEarly.build(1);
    let id = format!("cancel:{}", order.id());
    order.note_closed(totals(3, 25_000, 25_000), &cause(61)).unwrap();
    order.note_refunded(&id, usd(25_000), totals(2, 25_000, 25_000), &cause(62)).unwrap();
    order.note_captured(1, usd(25_000), totals(1, 25_000, 0), &cause(63)).unwrap();
    let ledger = order.ledger();
    assert_eq!((ledger.captured, ledger.refunded), (usd(25_000), usd(25_000)));
    assert_eq!(ledger.sequence, 3);
}

#[test]
fn a_duplicate_adds_nothing() {
    let mut order = confirmed(1);
    let before = order.state().clone();
    let again = order.note_captured(1, usd(25_000), totals(1, 25_000, 0), &cause(9));
    assert_eq!(again, Ok(Noted::Already));
    assert_eq!(order.state(), &before);
}

#[test]
fn a_stale_fact_with_newer_totals_moves_the_ledger_alone() {
    let mut order = confirmed(1);
    let version = order.version();
    let noted = order.note_declined(1, "card_declined", "no", totals(5, 25_000, 0), &cause(9));
    assert_eq!(noted, Ok(Noted::Moved));
    assert_eq!((order.version(), order.ledger().sequence), (version, 5));
}

#[test]
fn a_refused_fact_changes_nothing_not_even_the_ledger() {
    let mut order = paying(1);
    let before = order.state().clone();
    let taken = totals(9, 1, 0);
    let stray = Uuid::from_u128(0xBAD).to_string();
    let amend = format!("amend:{}:2", order.id());
    let refused = [
        order.note_captured(2, usd(25_000), taken, &cause(9)),
        order.note_captured(1, usd(24_999), taken, &cause(9)),
        order.note_declined(2, "", "", taken, &cause(9)),
        order.note_refunded(&stray, usd(1), taken, &cause(9)),
        order.note_refunded("cancel:somebody-else", usd(1), taken, &cause(9)),
        order.note_refund_failed(&amend, usd(1), "", taken, &cause(9)),
    ];
    let errors: Vec<_> = refused.into_iter().map(Result::unwrap_err).collect();
    use HeardError::{OtherMoney, RevisionAhead, UnknownRefund};
    let expected =
        [RevisionAhead, OtherMoney, RevisionAhead, UnknownRefund, UnknownRefund, RevisionAhead];
    assert_eq!(errors, expected);
    assert_eq!(order.state(), &before);
}

#[test]
fn facts_of_a_run_that_never_was_are_refused() {
    let mut order = Stage::Pending.build(1);
    assert_eq!(order.note_reserved(1, &cause(9)), Err(HeardError::RevisionAhead));
    assert_eq!(order.note_rejected(1, "", &cause(9)), Err(HeardError::RevisionAhead));
    assert_eq!(order.note_reservation_expired(1, &cause(9)), Err(HeardError::RevisionAhead));
}

#[test]
fn a_refund_of_another_amount_than_asked_for_is_refused() {
    let mut order = confirmed(1);
    order.request_refund(Uuid::from_u128(1), Some(usd(700)), "", &call(9)).unwrap();
    let id = Uuid::from_u128(1).to_string();
    let other = order.note_refunded(&id, usd(701), totals(2, 25_000, 701), &cause(10));
    assert_eq!(other, Err(HeardError::OtherMoney));
}
