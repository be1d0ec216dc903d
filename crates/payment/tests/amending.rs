//! Amendments: the difference of two totals moves, once its lines are held, and once.

use oms_payment::domain::{
    Amended, Cause, Effect, Fact, NOTHING_LEFT, Origin, Outcome, Payment, Refused, State,
    amend_refund_id, amended_revision,
};
use oms_payment::{domain::Snapshot, gateway::Kind};
use oms_service::testing::backends;

use crate::support::{
    Bench, ORDER, amended, canceled, confirmed, refund_requested, reserved, submitted,
};

const VISA: &str = "pm_card_visa";

/// A bench whose order of that total was paid and confirmed.
async fn paid(bench: &Bench, total: i64, method: &str) {
    bench.hear([submitted(ORDER, total, method), reserved(ORDER, 1)]).await;
    bench.work().await;
    bench.hear([confirmed(ORDER, 1, total)]).await;
}

#[tokio::test]
async fn an_increase_is_captured_under_its_revision_with_the_orders_method_or_the_calls() {
    for backend in backends() {
        let bench = Bench::new(&backend).await;
        paid(&bench, 1_000, VISA).await;
        bench.hear([amended(ORDER, 2, 1_500, 1_000, None)]).await;
        assert_eq!(bench.work().await, 0, "its lines are not held yet");
        bench.hear([reserved(ORDER, 2)]).await;
        assert_eq!(bench.work().await, 1);
        bench.hear([confirmed(ORDER, 2, 1_500)]).await;
        let method = Some("pm_card_declined");
        // In the other order of arrival.
        bench.hear([reserved(ORDER, 3), amended(ORDER, 3, 1_700, 1_500, method)]).await;
        bench.work().await;
        let told = bench.told(ORDER).await;
        let types: Vec<_> = told.iter().map(|(word, _)| word.as_str()).collect();
        assert_eq!(types, ["captured", "captured", "declined"]);
        assert_eq!(
            (&told[1].1["revision"], &told[1].1["amount"]["amount_minor"]),
            (&2.into(), &500.into())
        );
        assert_eq!(told[1].1["totals"]["captured_minor"], 1_500);
        assert_eq!(
            (&told[2].1["revision"], &told[2].1["code"]),
            (&3.into(), &"card_declined".into())
        );
        let keys: Vec<_> =
            bench.charges(ORDER).await.into_iter().map(|one| one.idempotency_key).collect();
        let key = |revision| format!("capture:{ORDER}:{revision}");
        assert_eq!(keys, [key(1), key(2), key(3)]);
        assert_eq!(bench.moved(ORDER).await, [(2, 1_500), (0, 0)]);
    }
}

#[tokio::test]
async fn a_decrease_is_given_back_once_and_answered_as_a_refund() {
    for backend in backends() {
        let bench = Bench::new(&backend).await;
        paid(&bench, 1_000, VISA).await;
        let said = [amended(ORDER, 2, 400, 1_000, None), reserved(ORDER, 2)];
        bench.hear(said.clone()).await;
        bench.work().await;
        bench.hear(said).await;
        assert_eq!(bench.work().await, 0, "whatever is said again");
        let told = bench.told(ORDER).await;
        assert_eq!(told[1].0, "refunded");
        assert_eq!(told[1].1["refund_id"], amend_refund_id(ORDER, 2));
        assert_eq!(told[1].1["totals"]["refunded_minor"], 600);
        assert_eq!(bench.moved(ORDER).await, [(1, 1_000), (1, 600)]);
        let charge = &bench.charges(ORDER).await[1];
        assert_eq!(
            (charge.kind, charge.idempotency_key.as_str()),
            (Kind::Refund, &*format!("refund:amend:{ORDER}:2"))
        );
        assert!(bench.is_waiting(ORDER).await, "for the amendment's end");
        bench.hear([confirmed(ORDER, 2, 400)]).await;
        assert!(!bench.is_waiting(ORDER).await);
        assert_eq!(bench.payment(ORDER).await.total, 400);
    }
}

#[tokio::test]
async fn the_same_total_is_answered_without_the_gateway() {
    for backend in backends() {
        let bench = Bench::new(&backend).await;
        paid(&bench, 1_000, VISA).await;
        bench.hear([amended(ORDER, 2, 1_000, 1_000, None), reserved(ORDER, 2)]).await;
        assert_eq!(bench.work().await, 0);
        let told = bench.told(ORDER).await;
        assert_eq!(
            (told[1].0.as_str(), &told[1].1["amount"]["amount_minor"]),
            ("captured", &0.into())
        );
        assert_eq!(bench.charges(ORDER).await.len(), 1);
        assert!(bench.is_waiting(ORDER).await);
    }
}

#[tokio::test]
async fn a_decrease_the_card_does_not_take_or_that_is_not_left_is_answered_refund_failed() {
    for backend in backends() {
        let bench = Bench::new(&backend).await;
        paid(&bench, 1_000, "pm_refund_fails").await;
        bench.hear([amended(ORDER, 2, 400, 1_000, None), reserved(ORDER, 2)]).await;
        bench.work().await;
        let told = bench.told(ORDER).await;
        assert_eq!(
            (told[1].0.as_str(), &told[1].1["code"]),
            ("refund_failed", &"refund_failed".into())
        );

        let bench = Bench::new(&backend).await;
        paid(&bench, 1_000, VISA).await;
        // A refund is on its way: what it takes is not left.
        bench.hear([refund_requested(ORDER, "r", 500)]).await;
        bench.hear([amended(ORDER, 2, 400, 1_000, None), reserved(ORDER, 2)]).await;
        let told = bench.told(ORDER).await;
        assert_eq!(
            (told[1].0.as_str(), &told[1].1["code"]),
            ("refund_failed", &NOTHING_LEFT.into())
        );
        assert!(bench.is_waiting(ORDER).await, "it answered the revision");
        bench.work().await;
        assert_eq!(bench.moved(ORDER).await, [(1, 1_000), (1, 500)]);
    }
}

#[tokio::test]
async fn a_cancellation_carries_what_is_due_to_its_end_and_gives_the_rest_back() {
    for backend in backends() {
        for (total, ends) in [(1_500, [(2, 1_500), (1, 1_500)]), (400, [(1, 1_000), (2, 1_000)])] {
            let bench = Bench::new(&backend).await;
            paid(&bench, 1_000, VISA).await;
            bench.hear([amended(ORDER, 2, total, 1_000, None), reserved(ORDER, 2)]).await;
            bench.hear([canceled(ORDER)]).await;
            bench.work().await;
            assert_eq!(bench.moved(ORDER).await, ends);
            let types = bench.types(ORDER).await;
            let what = if total > 1_000 { "captured" } else { "refunded" };
            assert_eq!(types[1..], [what, "refunded", "closed"]);
            // Too late: nothing more falls due.
            bench.hear([amended(ORDER, 4, 9_000, 1_000, None), reserved(ORDER, 4)]).await;
            assert_eq!(bench.work().await, 0);
        }
    }
}

fn cause() -> Cause {
    let at = chrono::DateTime::UNIX_EPOCH;
    Cause { at, origin: Origin { saga: None, cause: None, traceparent: None } }
}

fn fresh() -> Payment {
    Payment::restore(Snapshot::new(ORDER, chrono::DateTime::UNIX_EPOCH))
}

fn amend(payment: &mut Payment, revision: i32, total: i64) -> Result<Effect, Refused> {
    let amended = Amended { total, settled: 1_000, method: None };
    payment.note_amended(revision, "USD", amended, &cause())
}

#[test]
fn what_order_has_concluded_moves_nothing_any_more() {
    let mut payment = fresh();
    payment.note_confirmed(3, "USD", 1_000, &cause()).unwrap();
    amend(&mut payment, 2, 1_500).unwrap();
    payment.note_reserved(2, &cause()).unwrap();
    assert!(!payment.is_busy() && payment.take_said().is_empty());
    amend(&mut payment, 4, 1_500).unwrap();
    payment.note_reserved(4, &cause()).unwrap();
    assert_eq!(payment.captures[&4].progress.state, State::Due);
    payment.record_capture(4, &Outcome::Approved, cause().at);
    let said: Vec<_> = payment.take_said().into_iter().map(|said| said.fact).collect();
    assert_eq!(said, [Fact::Captured { revision: 4, amount: 500 }]);
}

#[test]
fn the_first_word_about_a_revision_counts_and_nonsense_is_refused() {
    let mut payment = fresh();
    assert_eq!(amend(&mut payment, 2, 1_500), Ok(Effect::Moved));
    assert_eq!(amend(&mut payment, 2, 9_000), Ok(Effect::Already));
    payment.note_reserved(2, &cause()).unwrap();
    assert_eq!(payment.captures[&2].amount, 500);
    assert_eq!(amend(&mut payment, 1, 1_500), Err(Refused::ImpossibleRevision(1)));
    assert_eq!(amend(&mut payment, 3, 0), Err(Refused::ImpossibleAmount { amount: 0 }));
    let yen = Amended { total: 1, settled: 1, method: None };
    let told = payment.note_amended(3, "JPY", yen, &cause());
    assert!(matches!(told, Err(Refused::OtherCurrency { .. })), "{told:?}");
}

#[test]
fn the_revision_of_a_decrease_is_read_from_its_name_alone() {
    assert_eq!(amended_revision(&amend_refund_id(ORDER, 7), ORDER), Some(7));
    for other in ["7", "cancel:7", &amend_refund_id("other", 7), &format!("amend:{ORDER}:x")] {
        assert_eq!(amended_revision(other, ORDER), None, "{other}");
    }
}
