//! Amendments: what is held and paid follows, or everything stays as it was.

use oms_order::domain::{
    AmendmentEnd, Currency, Edit, Editing, Fact, HeardError, Line, Milestone, Money, Noted, Order,
    Placed, Refusal, Run, RunKind, Status, Terms, amendment_name,
};
use proptest::prelude::*;
use uuid::Uuid;

use crate::support::{amending, at, call, cause, confirmed, line, terms, totals, usd};

fn quantity(order: &Order, at: usize, qty: i32) -> Edit {
    Edit::SetQuantity { line: order.lines()[at].id, qty }
}

fn edit(order: &mut Order, edit: Edit) -> Result<Editing, Refusal> {
    order.edit(edit, terms(), &call(30))
}

/// An amend run that costs 100.00 less.
fn decreasing(n: u128) -> Order {
    let mut order = confirmed(n);
    let one = quantity(&order, 0, 1);
    assert_eq!(edit(&mut order, one), Ok(Editing::Amending(2)));
    order
}

/// An amend run that costs the same: another line at the same price.
fn swapping(n: u128) -> Order {
    let mut order = confirmed(n);
    let second = order.lines()[1].id;
    let lines = vec![
        Placed { changes: Some(order.lines()[0].id), line: order.lines()[0].clone() },
        Placed { changes: Some(second), line: line(900, "SKU-009", 1, 5_000) },
    ];
    let replace = Edit::Replace { customer_id: None, currency: None, lines };
    assert_eq!(edit(&mut order, replace), Ok(Editing::Amending(2)));
    order
}

fn name(order: &Order) -> String {
    amendment_name(order.id(), 2)
}

fn told(order: &mut Order) -> Vec<(&'static str, String)> {
    order.take_entries().into_iter().map(|entry| (entry.event_type, entry.payload)).collect()
}

fn ends(order: &mut Order) -> Vec<(i32, AmendmentEnd)> {
    order.take_amendments().into_iter().map(|ended| (ended.revision, ended.end)).collect()
}

#[test]
fn an_amendment_says_what_is_wished_for_and_what_is_in_force() {
    let mut order = confirmed(1);
    let settled_lines = order.lines().to_vec();
    order.take_facts();
    order.take_entries();
    let three = quantity(&order, 0, 3);
    let method = Some("pm_card_slow".to_owned());
    let terms = Terms { method: method.clone(), ..terms() };
    assert_eq!(order.edit(three, terms, &call(30)), Ok(Editing::Amending(2)));
    let mut lines = settled_lines.clone();
    lines[0].qty = 3;
    let saga_id = Uuid::from_u128(0x5A6B);
    let amended = Fact::Amended {
        saga_id,
        revision: 2,
        lines: lines.clone(),
        total: usd(35_000),
        settled_revision: 1,
        settled_lines: settled_lines.clone(),
        settled_total: usd(25_000),
        method,
    };
    assert_eq!(order.take_facts(), [amended]);
    assert_eq!(order.run(), Some(&Run::Amend { saga_id, lines, started_at: at(30) }));
    assert_eq!((order.lines(), order.total()), (&settled_lines[..], usd(25_000)));
    assert_eq!((order.status(), order.revision()), (Status::Confirmed, 2));
    assert!(order.is_waiting());
    let payload = r#"{"amount_minor":35000,"change":"quantity_changed","currency":"USD","difference_minor":10000,"items":2,"revision":2}"#;
    assert_eq!(told(&mut order), [("AmendmentRequested", payload.to_owned())]);
}

#[test]
fn what_was_taken_is_what_counts() {
    let mut order = amending(1);
    order.take_facts();
    order.take_entries();
    assert_eq!(order.note_reserved(2, &cause(31)), Ok(Noted::Already), "payment has the word");
    let taken = totals(2, 35_000, 0);
    assert_eq!(order.note_captured(2, usd(10_000), taken, &cause(32)), Ok(Noted::Moved));
    assert_eq!((order.total(), order.lines()[0].qty), (usd(35_000), 3));
    assert_eq!((order.status(), order.run_kind()), (Status::Confirmed, RunKind::Idle));
    assert_eq!(order.ledger().captured, usd(35_000));
    let confirmed = Fact::Confirmed {
        saga_id: Some(Uuid::from_u128(0x5A6B)),
        revision: 2,
        lines: order.lines().to_vec(),
        total: usd(35_000),
        accepted: true,
    };
    assert_eq!(order.take_facts(), [confirmed]);
    let payload = r#"{"amount_minor":35000,"currency":"USD","difference_minor":10000,"items":2,"revision":2}"#;
    assert_eq!(told(&mut order), [("OrderAmended", payload.to_owned())]);
    assert_eq!(ends(&mut order), [(2, AmendmentEnd::Accepted)]);
    let reached = order.take_milestones();
    assert_eq!(reached.last(), Some(&Milestone::AmendmentEnded(AmendmentEnd::Accepted)));
    assert!(!order.is_waiting());
    let again = order.note_captured(2, usd(10_000), taken, &cause(33));
    assert_eq!((again, told(&mut order).len()), (Ok(Noted::Already), 0), "a duplicate");
}

#[test]
fn a_decrease_is_accepted_by_its_refund_and_shown_as_no_refund() {
    let mut order = decreasing(1);
    order.note_reserved(2, &cause(31)).unwrap();
    let id = name(&order);
    let given = totals(2, 25_000, 10_000);
    assert_eq!(order.note_refunded(&id, usd(10_000), given, &cause(32)), Ok(Noted::Moved));
    assert_eq!((order.total(), order.left()), (usd(15_000), usd(15_000)));
    assert_eq!((order.shown_status(), order.refunds()), (Status::Confirmed, &[][..]));
    assert_eq!(ends(&mut order), [(2, AmendmentEnd::Accepted)]);
}

#[test]
fn an_amendment_that_costs_the_same_is_accepted_by_a_capture_of_nothing() {
    let mut order = swapping(1);
    let none = totals(2, 25_000, 0);
    let other = order.note_captured(2, usd(1), none, &cause(32));
    assert_eq!(other, Err(HeardError::OtherMoney));
    assert_eq!(order.note_captured(2, usd(0), none, &cause(32)), Ok(Noted::Moved));
    assert_eq!((order.lines()[1].sku.as_str(), order.total()), ("SKU-009", usd(25_000)));
}

/// Refuses what is asked for, each way.
type Refuse = fn(&mut Order) -> Result<Noted, HeardError>;

#[test]
fn a_refused_amendment_restores_what_was_in_force_under_a_revision_of_its_own() {
    let rejected: Refuse = |order| order.note_rejected(2, "out_of_stock", &cause(32));
    let declined: Refuse =
        |order| order.note_declined(2, "no", "no funds", totals(2, 25_000, 0), &cause(32));
    let not_given: Refuse = |order| {
        let (id, same) = (name(order), totals(2, 25_000, 0));
        order.note_refund_failed(&id, usd(10_000), "no", same, &cause(32))
    };
    for (mut order, refuse, end, refusal) in [
        (amending(1), rejected, AmendmentEnd::Unavailable, Refusal::InventoryUnavailable),
        (amending(1), declined, AmendmentEnd::Declined, Refusal::PaymentDeclined),
        (decreasing(1), not_given, AmendmentEnd::NotGivenBack, Refusal::RefundFailed),
    ] {
        let before = confirmed(1).lines().to_vec();
        order.take_facts();
        order.take_entries();
        assert_eq!(refuse(&mut order), Ok(Noted::Moved), "{end:?}");
        assert_eq!((order.lines(), order.total()), (&before[..], usd(25_000)));
        assert_eq!((order.revision(), order.run_kind()), (3, RunKind::Idle));
        let restored = Fact::Confirmed {
            saga_id: Some(Uuid::from_u128(0x5A6B)),
            revision: 3,
            lines: before,
            total: usd(25_000),
            accepted: false,
        };
        assert_eq!(order.take_facts(), [restored], "never another amended");
        let [(event_type, payload)] = &told(&mut order)[..] else { panic!("one entry") };
        assert_eq!(*event_type, "AmendmentRefused");
        assert!(payload.contains(end.as_str()), "{payload}");
        assert_eq!(ends(&mut order), [(2, end)]);
        assert_eq!(end.told(), Err(refusal));
        assert_eq!(refuse(&mut order), Ok(Noted::Already), "a duplicate is of an earlier revision");
        assert_eq!(edit(&mut order, Edit::Add(line(900, "X", 1, 1))), Ok(Editing::Amending(4)));
    }
}

#[test]
fn a_cancellation_ends_the_amendment_and_what_comes_late_moves_the_ledger_alone() {
    let mut order = amending(1);
    order.take_facts();
    order.cancel("changed my mind", &call(40)).unwrap();
    assert_eq!((order.status(), order.run_kind()), (Status::Canceled, RunKind::Idle));
    assert_eq!(ends(&mut order), [(2, AmendmentEnd::Canceled)]);
    assert_eq!(AmendmentEnd::Canceled.told(), Err(Refusal::AmendmentCanceled));
    assert_eq!(order.take_facts().len(), 1, "canceled, and nothing about the amendment");
    order.take_entries();
    let late = totals(2, 35_000, 0);
    assert_eq!(order.note_captured(2, usd(10_000), late, &cause(41)), Ok(Noted::Moved));
    assert_eq!((order.total(), order.left()), (usd(25_000), usd(35_000)));
    assert_eq!(told(&mut order)[0].0, "PaymentCaptured");

    let mut order = decreasing(1);
    order.cancel("", &call(40)).unwrap();
    order.take_entries();
    let (id, late) = (name(&order), totals(2, 25_000, 10_000));
    for noted in [Noted::Moved, Noted::Already] {
        assert_eq!(order.note_refunded(&id, usd(10_000), late, &cause(41)), Ok(noted));
    }
    let entries = told(&mut order);
    assert_eq!((entries.len(), entries[0].0, order.left()), (1, "OrderRefunded", usd(15_000)));
}

#[test]
fn an_amendment_that_takes_nothing_tells_of_no_money_that_came_late() {
    let mut order = swapping(1);
    order.cancel("", &call(40)).unwrap();
    order.take_entries();
    let late = totals(2, 25_000, 0);
    assert_eq!(order.note_captured(2, usd(0), late, &cause(41)), Ok(Noted::Moved));
    assert_eq!(told(&mut order), [], "nothing came");
    assert_eq!(order.left(), usd(25_000));
}

#[test]
fn nothing_else_begins_or_leaves_while_an_amendment_is_open() {
    let mut order = amending(1);
    let before = order.state().clone();
    assert_eq!(edit(&mut order, Edit::Add(line(900, "X", 1, 1))), Err(Refusal::Busy));
    assert_eq!(order.request_refund(Uuid::from_u128(1), None, "", &call(31)), Err(Refusal::Busy));
    assert_eq!(order.ship(&call(31)), Err(Refusal::Busy));
    assert!(!order.deadline_passed(&call(1_000_000)), "only its answer ends it");
    assert_eq!(order.note_reservation_expired(1, &cause(31)), Ok(Noted::Repeat));
    assert_eq!(order.state(), &before);
}

#[test]
fn money_that_was_never_asked_for_is_loud() {
    let (more, ahead) = (totals(2, 36_000, 0), amendment_name(confirmed(1).id(), 3));
    let mut order = amending(1);
    for taken in [usd(11_000), Money::new(10_000, Currency::parse("EUR").unwrap())] {
        let told = order.note_captured(2, taken, more, &cause(31));
        assert_eq!(told, Err(HeardError::OtherMoney));
    }
    let id = name(&order);
    let told = order.note_refunded(&id, usd(10_000), more, &cause(31));
    assert_eq!(told, Err(HeardError::OtherMoney), "it costs more, not less");
    let told = order.note_refunded(&ahead, usd(10_000), more, &cause(31));
    assert_eq!(told, Err(HeardError::RevisionAhead));
    let told = order.note_captured(3, usd(10_000), more, &cause(31));
    assert_eq!(told, Err(HeardError::RevisionAhead));
    let mut order = decreasing(1);
    let told = order.note_captured(2, usd(10_000), more, &cause(31));
    assert_eq!(told, Err(HeardError::OtherMoney), "it costs less, not more");
}

#[test]
fn what_cannot_be_given_back_is_refused_at_once() {
    let mut order = confirmed(1);
    order.request_refund(Uuid::from_u128(1), Some(usd(20_000)), "", &call(20)).unwrap();
    let id = Uuid::from_u128(1).to_string();
    order.note_refunded(&id, usd(20_000), totals(2, 25_000, 20_000), &cause(21)).unwrap();
    let before = order.state().clone();
    let one = quantity(&order, 0, 1);
    assert_eq!(edit(&mut order, one), Err(Refusal::DecreaseTooHigh));
    assert_eq!(order.state(), &before);
    let second = order.lines()[1].id;
    assert_eq!(edit(&mut order, Edit::Remove { line: second }), Ok(Editing::Amending(2)));
    let (id, nothing) = (name(&order), totals(3, 25_000, 25_000));
    order.note_refunded(&id, usd(5_000), nothing, &cause(32)).unwrap();
    let state = (order.status(), order.left(), order.is_waiting());
    assert_eq!(state, (Status::Confirmed, usd(0), false), "an amendment never makes REFUNDED");
}

#[test]
fn customer_and_currency_stay_once_the_order_was_paid() {
    let mut order = confirmed(1);
    let placed = |order: &Order, price| {
        let first = order.lines()[0].clone();
        vec![Placed { changes: Some(first.id), line: Line { price, ..first } }]
    };
    let yen = Currency::parse("JPY").unwrap();
    for (customer_id, currency, price, what) in [
        (Some("another"), None, usd(1), "customer_id"),
        (None, Some(yen), Money::new(1, yen), "currency"),
    ] {
        let lines = placed(&order, price);
        let customer_id = customer_id.map(str::to_owned);
        let told = edit(&mut order, Edit::Replace { customer_id, currency, lines });
        assert_eq!(told, Err(Refusal::FixedOncePaid(what)));
    }
    let lines = placed(&order, usd(12_000));
    let same = Some("customer-123".to_owned());
    let told = edit(&mut order, Edit::Replace { customer_id: same, currency: None, lines });
    assert_eq!(told, Ok(Editing::Amending(2)));
}

/// How payment and inventory answer one amendment.
#[derive(Clone, Copy, Debug)]
enum Answer {
    Accept,
    Reject,
    Decline,
}

proptest! {
    /// Any sequence of amendments, accepted or refused, with refunds between them: what is kept is
    /// what is in force costs less what customers got back, and lines move only with the money.
    #[test]
    fn any_sequence_of_amendments_keeps_the_settled_total_less_the_refunds(
        steps in prop::collection::vec(
            (0..3_u8, 1..6_i32, prop_oneof![
                Just(Answer::Accept), Just(Answer::Reject), Just(Answer::Decline)
            ]),
            1..25,
        )
    ) {
        let mut order = confirmed(1);
        let (mut captured, mut refunded, mut goodwill, mut sequence) = (25_000, 0, 0, 1_i64);
        for (n, (what, qty, answer)) in (1_u128..).zip(steps) {
            sequence += 1;
            if what == 2 {
                let amount = i64::from(qty) * 100;
                let id = Uuid::from_u128(n);
                if order.request_refund(id, Some(usd(amount)), "", &call(50)).is_ok() {
                    (refunded, goodwill) = (refunded + amount, goodwill + amount);
                    let now = totals(sequence, captured, refunded);
                    order.note_refunded(&id.to_string(), usd(amount), now, &cause(51)).unwrap();
                }
                if order.status() != Status::Confirmed {
                    break;
                }
                continue;
            }
            let (before, settled) = (order.lines().to_vec(), order.total().minor());
            let wish = quantity(&order, usize::from(what), qty);
            let Ok(Editing::Amending(revision)) = edit(&mut order, wish) else { continue };
            let Some(Run::Amend { lines, .. }) = order.run().cloned() else { panic!("a run") };
            let desired: i64 =
                lines.iter().map(|line| line.price.minor() * i64::from(line.qty)).sum();
            let difference = desired - settled;
            let (name, amount) = (amendment_name(order.id(), revision), usd(difference.abs()));
            match answer {
                Answer::Reject => drop(order.note_rejected(revision, "", &cause(52)).unwrap()),
                Answer::Accept if difference >= 0 => {
                    captured += difference;
                    let now = totals(sequence, captured, refunded);
                    order.note_captured(revision, amount, now, &cause(52)).unwrap();
                }
                Answer::Accept => {
                    refunded -= difference;
                    let now = totals(sequence, captured, refunded);
                    order.note_refunded(&name, amount, now, &cause(52)).unwrap();
                }
                Answer::Decline => {
                    let now = totals(sequence, captured, refunded);
                    if difference >= 0 {
                        order.note_declined(revision, "", "", now, &cause(52)).unwrap();
                    } else {
                        order.note_refund_failed(&name, amount, "", now, &cause(52)).unwrap();
                    }
                }
            }
            let accepted = matches!(answer, Answer::Accept);
            prop_assert_eq!(order.lines(), if accepted { &lines[..] } else { &before[..] });
            prop_assert_eq!(order.run_kind(), RunKind::Idle);
            prop_assert_eq!(order.left().minor(), order.total().minor() - goodwill);
        }
        prop_assert!(order.left().minor() >= 0);
    }
}
