//! The verbs, one by one and against each other; tests that need no database.

use chrono::{DateTime, TimeDelta, Utc};

use super::*;

const ORDER: &str = "018f5a00-0000-7000-8000-000000000001";

fn at(second: i64) -> DateTime<Utc> {
    DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(second)
}

fn cause(name: &str) -> Cause {
    let cause = Some(name.to_owned());
    Cause { at: at(1), origin: Origin { saga: None, cause, traceparent: None } }
}

fn fresh() -> Payment {
    Payment::restore(Snapshot::new(ORDER, at(0)))
}

fn submit(payment: &mut Payment, revision: i32, total: i64) -> Result<Effect, Refused> {
    let noted = Noted { total, base: 0, method: "pm_card_visa".to_owned() };
    payment.note_submitted(revision, "customer-1", "USD", noted, &cause("submitted"))
}

fn reserve(payment: &mut Payment, revision: i32) -> Effect {
    payment.note_reserved(revision, &cause("reserved")).unwrap()
}

fn confirm(payment: &mut Payment, revision: i32) -> Effect {
    payment.note_confirmed(revision, "USD", 100, &cause("confirmed")).unwrap()
}

fn ask_refund(payment: &mut Payment, id: &str, amount: i64) -> Effect {
    payment.note_refund_requested(id, "USD", amount, &cause("refund_requested")).unwrap()
}

fn declined(code: &str) -> Outcome {
    Outcome::Declined { code: code.to_owned(), reason: String::new() }
}

/// A payment whose capture of 100 is at the gateway.
fn due() -> Payment {
    let mut payment = fresh();
    submit(&mut payment, 1, 100).unwrap();
    reserve(&mut payment, 1);
    payment
}

/// A payment of 100 that was captured and confirmed.
fn paid() -> Payment {
    let mut payment = due();
    payment.record_capture(1, &Outcome::Approved, at(2));
    confirm(&mut payment, 1);
    payment.take_said();
    payment
}

fn facts(payment: &mut Payment) -> Vec<Fact> {
    payment.take_said().into_iter().map(|said| said.fact).collect()
}

fn refund_failed(id: &str, amount: i64, code: &str) -> Fact {
    Fact::RefundFailed { refund_id: id.to_owned(), amount, code: code.to_owned() }
}

fn refunded(id: &str, amount: i64) -> Fact {
    Fact::Refunded { refund_id: id.to_owned(), amount }
}

#[test]
fn money_falls_due_once_both_submitted_and_reserved_are_known_in_either_order() {
    for reserved_first in [false, true] {
        let mut payment = fresh();
        if reserved_first {
            reserve(&mut payment, 1);
            assert!(!payment.is_busy());
            submit(&mut payment, 1, 100).unwrap();
        } else {
            submit(&mut payment, 1, 100).unwrap();
            assert!(!payment.is_busy());
            reserve(&mut payment, 1);
        }
        let capture = &payment.captures[&1];
        assert_eq!((capture.amount, capture.progress.state), (100, State::Due));
        assert_eq!(capture.progress.next_at, Some(at(1)));
        assert_eq!(facts(&mut payment), []);
    }
}

#[test]
fn reserved_of_another_revision_makes_nothing_due() {
    let mut payment = fresh();
    submit(&mut payment, 1, 100).unwrap();
    reserve(&mut payment, 2);
    assert!(!payment.is_busy());
}

#[test]
fn hearing_a_fact_again_changes_nothing() {
    let mut payment = due();
    let before = payment.clone();
    assert_eq!(submit(&mut payment, 1, 999), Ok(Effect::Already));
    assert_eq!(reserve(&mut payment, 1), Effect::Already);
    assert_eq!(*payment, *before);
    let mut payment = paid();
    ask_refund(&mut payment, "r", 10);
    assert_eq!(ask_refund(&mut payment, "r", 10), Effect::Already);
    assert_eq!(confirm(&mut payment, 1), Effect::Already);
    assert_eq!(payment.pending_refunds(), 10);
}

#[test]
fn an_order_that_costs_nothing_is_captured_without_the_gateway() {
    let mut payment = fresh();
    submit(&mut payment, 1, 0).unwrap();
    reserve(&mut payment, 1);
    assert!(!payment.is_busy());
    assert!(payment.waits());
    assert_eq!(facts(&mut payment), [Fact::Captured { revision: 1, amount: 0 }]);
}

#[test]
fn an_approved_capture_is_recorded_once_and_carries_its_totals() {
    let mut payment = due();
    assert_eq!(payment.record_capture(1, &Outcome::Approved, at(2)), Effect::Moved);
    assert_eq!(payment.record_capture(1, &Outcome::Approved, at(3)), Effect::Already);
    assert_eq!(payment.record_capture(1, &declined("x"), at(3)), Effect::Already);
    let said = payment.take_said();
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].fact, Fact::Captured { revision: 1, amount: 100 });
    assert_eq!(said[0].totals, Totals { captured: 100, refunded: 0 });
    assert_eq!(said[0].origin.cause.as_deref(), Some("reserved"));
}

#[test]
fn a_declined_capture_takes_nothing_and_is_not_tried_again() {
    let mut payment = due();
    payment.record_capture(1, &declined("card_declined"), at(2));
    let fact =
        Fact::Declined { revision: 1, code: "card_declined".to_owned(), reason: String::new() };
    assert_eq!(facts(&mut payment), [fact]);
    submit(&mut payment, 1, 100).unwrap();
    reserve(&mut payment, 1);
    assert!(!payment.is_busy());
    assert_eq!(payment.totals, Totals::default());
}

#[test]
fn nothing_is_started_for_a_revision_order_has_concluded() {
    let mut payment = fresh();
    confirm(&mut payment, 2);
    for revision in [1, 2] {
        submit(&mut payment, revision, 100).unwrap();
        reserve(&mut payment, revision);
    }
    assert!(!payment.is_busy());
    assert_eq!(facts(&mut payment), []);
}

#[test]
fn payment_waits_from_its_answer_until_it_is_confirmed_or_cancelled() {
    let mut payment = due();
    assert!(!payment.waits(), "nothing was answered yet");
    payment.record_capture(1, &Outcome::Approved, at(2));
    assert!(payment.waits());
    let mut canceled = payment.clone();
    canceled.note_canceled(&cause("canceled"));
    assert!(!canceled.waits() && !canceled.has_ended());
    confirm(&mut payment, 1);
    assert!(!payment.waits() && !payment.has_ended());
}

#[test]
fn an_order_never_heard_of_is_fenced_closed_and_charges_nothing_later() {
    let mut payment = fresh();
    assert_eq!(payment.note_canceled(&cause("canceled")), Effect::Moved);
    let said = payment.take_said();
    assert_eq!((&said[0].fact, said[0].totals), (&Fact::Closed, Totals::default()));
    assert_eq!(said[0].origin.cause.as_deref(), Some("canceled"));
    assert!(payment.has_ended());
    submit(&mut payment, 1, 100).unwrap();
    reserve(&mut payment, 1);
    assert!(!payment.is_busy());
    assert_eq!(payment.note_canceled(&cause("canceled")), Effect::Already);
    assert_eq!(facts(&mut payment), []);
}

#[test]
fn a_capture_approved_after_cancel_is_given_back_before_closed() {
    let mut payment = due();
    payment.note_canceled(&cause("canceled"));
    assert!(payment.is_busy(), "what is due is not dropped");
    assert_eq!(facts(&mut payment), []);
    payment.record_capture(1, &Outcome::Approved, at(2));
    assert_eq!(facts(&mut payment), [Fact::Captured { revision: 1, amount: 100 }]);
    let id = cancel_refund_id(ORDER);
    assert_eq!(payment.refunds[&id].amount, 100);
    payment.record_refund(&id, &Outcome::Approved, at(3));
    assert_eq!(facts(&mut payment), [refunded(&id, 100), Fact::Closed]);
    assert_eq!(payment.totals.kept(), 0);
    assert!(payment.has_ended());
}

#[test]
fn a_capture_declined_after_cancel_closes_without_a_refund() {
    let mut payment = due();
    payment.note_canceled(&cause("canceled"));
    payment.record_capture(1, &declined("card_declined"), at(2));
    let facts = facts(&mut payment);
    assert!(matches!(facts[..], [Fact::Declined { .. }, Fact::Closed]), "{facts:?}");
    assert!(payment.refunds.is_empty());
}

#[test]
fn cancel_waits_for_an_open_refund_and_gives_back_only_the_rest() {
    for (outcome, rest) in [(Outcome::Approved, 70), (declined("no"), 100)] {
        let mut payment = paid();
        ask_refund(&mut payment, "r", 30);
        payment.note_canceled(&cause("canceled"));
        assert!(!payment.refunds.contains_key(&cancel_refund_id(ORDER)));
        payment.record_refund("r", &outcome, at(3));
        assert_eq!(payment.refunds[&cancel_refund_id(ORDER)].amount, rest);
        payment.record_refund(&cancel_refund_id(ORDER), &Outcome::Approved, at(4));
        assert_eq!(payment.take_said().last().unwrap().fact, Fact::Closed);
        assert_eq!(payment.totals.kept(), 0);
    }
}

#[test]
fn a_failed_cancel_refund_is_made_once_and_leaves_the_money_at_closed() {
    let mut payment = paid();
    payment.note_canceled(&cause("canceled"));
    let id = cancel_refund_id(ORDER);
    payment.record_refund(&id, &declined("refund_failed"), at(3));
    assert_eq!(facts(&mut payment), [refund_failed(&id, 100, "refund_failed"), Fact::Closed]);
    assert_eq!(payment.totals.kept(), 100);
    assert!(!payment.is_busy());
}

#[test]
fn what_a_cancelled_order_kept_can_still_be_refunded() {
    let mut payment = paid();
    payment.note_canceled(&cause("canceled"));
    payment.record_refund(&cancel_refund_id(ORDER), &declined("refund_failed"), at(3));
    payment.take_said();
    ask_refund(&mut payment, "late", 100);
    assert!(!payment.has_ended(), "not at its end while a refund is open");
    payment.record_refund("late", &Outcome::Approved, at(4));
    assert_eq!(facts(&mut payment), [refunded("late", 100)], "closed is said once");
    assert!(payment.has_ended());
}

#[test]
fn refunds_asked_for_at_once_never_exceed_what_is_left() {
    let mut payment = paid();
    for n in 0..20 {
        ask_refund(&mut payment, &format!("r{n}"), 7);
    }
    assert_eq!(payment.pending_refunds(), 98);
    let refused = facts(&mut payment);
    assert_eq!(refused.len(), 6);
    assert_eq!(refused[0], refund_failed("r14", 7, NOTHING_LEFT));
    payment.record_refund("r0", &declined("no"), at(3));
    ask_refund(&mut payment, "again", 9);
    assert_eq!(payment.pending_refunds(), 100, "a failed refund leaves its money to others");
}

#[test]
fn a_refund_before_anything_was_captured_finds_nothing_left() {
    let mut payment = fresh();
    ask_refund(&mut payment, "r", 1);
    assert_eq!(facts(&mut payment), [refund_failed("r", 1, NOTHING_LEFT)]);
    let mut payment = due();
    ask_refund(&mut payment, "r", 1);
    assert_eq!(facts(&mut payment), [refund_failed("r", 1, NOTHING_LEFT)]);
}

#[test]
fn an_unknown_outcome_is_asked_again_later_until_it_is_known() {
    let mut payment = due();
    for attempt in 1..=3 {
        assert_eq!(payment.postpone_capture(1, at(10)), Effect::Moved);
        let progress = &payment.captures[&1].progress;
        assert_eq!((progress.attempts, progress.next_at), (attempt, Some(at(10))));
    }
    assert_eq!(facts(&mut payment), []);
    payment.record_capture(1, &Outcome::Approved, at(11));
    assert_eq!(payment.postpone_capture(1, at(20)), Effect::Already);
    assert_eq!(payment.captures[&1].progress.next_at, None);
}

#[test]
fn what_no_interleaving_produces_is_refused() {
    let code = |result: Result<Effect, Refused>| result.unwrap_err().code();
    assert_eq!(code(submit(&mut fresh(), 1, -1)), "impossible_amount");
    assert_eq!(code(submit(&mut fresh(), 0, 1)), "impossible_revision");
    assert_eq!(code(fresh().note_reserved(0, &cause("x"))), "impossible_revision");
    assert_eq!(code(fresh().note_confirmed(0, "USD", 1, &cause("x"))), "impossible_revision");
    let mut payment = paid();
    assert_eq!(code(payment.note_refund_requested("r", "EUR", 1, &cause("x"))), "other_currency");
    assert_eq!(
        code(payment.note_refund_requested("r", "USD", 0, &cause("x"))),
        "impossible_amount"
    );
    assert_eq!(code(payment.note_confirmed(2, "EUR", 1, &cause("x"))), "other_currency");
}

#[test]
fn outcomes_of_movements_nobody_knows_are_ignored() {
    let mut payment = fresh();
    assert_eq!(payment.record_capture(1, &Outcome::Approved, at(1)), Effect::Already);
    assert_eq!(payment.record_refund("r", &Outcome::Approved, at(1)), Effect::Already);
    reserve(&mut payment, 1);
    assert_eq!(payment.record_capture(1, &Outcome::Approved, at(1)), Effect::Already);
    assert_eq!(payment.totals, Totals::default());
}
