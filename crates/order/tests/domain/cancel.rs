//! CancelOrder.

use oms_order::domain::{
    By, Canceling, Fact, Milestone, Order, OrderState, Refusal, RunKind, RunOutcome, Status, Step,
    StepEnd,
};

use crate::support::{Stage, at, call, cause, confirmed, order, totals, usd};

fn in_status(status: Status) -> Order {
    Order::restore(OrderState { status, ..confirmed(1).state().clone() })
}

#[test]
fn cancel_wins_in_every_status_before_shipping() {
    for stage in [Stage::Pending, Stage::Paying, Stage::Reserved, Stage::Confirmed] {
        let mut order = stage.build(1);
        order.take_facts();
        assert_eq!(order.cancel("too slow", &call(9)), Ok(Canceling::Canceled), "{stage:?}");
        assert_eq!((order.status(), order.run_kind()), (Status::Canceled, RunKind::Idle));
        let reason = order.status_reason().unwrap();
        assert_eq!((reason.code.as_str(), reason.message.as_str()), ("customer", "too slow"));
        let said = order.take_facts();
        assert!(matches!(&said[..], [Fact::Canceled { by: By::Customer, .. }]), "{said:?}");
    }
}

#[test]
fn a_canceled_order_is_canceled_again_without_any_change() {
    let mut order = Stage::Canceled.build(1);
    let before = order.state().clone();
    order.take_facts();
    assert_eq!(order.cancel("again", &call(99)), Ok(Canceling::Already));
    assert_eq!(order.state(), &before);
    assert!(order.take_facts().is_empty());
}

#[test]
fn shipped_completed_and_refunded_orders_cannot_be_canceled() {
    for status in [Status::Shipped, Status::Completed, Status::Refunded] {
        let mut order = in_status(status);
        assert_eq!(order.cancel("", &call(9)), Err(Refusal::NotCancelable(status)));
        assert_eq!(order.status(), status);
    }
    let told = Refusal::NotCancelable(Status::Shipped).to_string();
    assert_eq!(told, "order cannot be canceled in status shipped");
}

#[test]
fn only_a_cancel_during_the_pay_run_counts_as_a_canceled_run() {
    let mut during = Stage::Reserved.build(1);
    during.take_milestones();
    during.cancel("", &call(9)).unwrap();
    let lasted = at(9) - at(1);
    assert_eq!(
        during.take_milestones(),
        [
            Milestone::StepEnded { step: Step::Pay, end: StepEnd::Canceled, lasted: at(9) - at(2) },
            Milestone::RunEnded { outcome: RunOutcome::Canceled, lasted }
        ]
    );
    for stage in [Stage::Pending, Stage::Confirmed, Stage::Refunding] {
        let mut order = stage.build(1);
        order.take_milestones();
        order.cancel("", &call(9)).unwrap();
        assert!(order.take_milestones().is_empty(), "{stage:?}");
    }
}

#[test]
fn cancel_leaves_an_open_refund_run_to_end_by_its_own_answer() {
    let mut order = Stage::CanceledRefunding.build(1);
    assert_eq!((order.status(), order.run_kind()), (Status::Canceled, RunKind::Refund));
    order.take_facts();
    let id = Stage::refund_id().to_string();
    order.note_refunded(&id, usd(25_000), totals(2, 25_000, 25_000), &cause(60)).unwrap();
    assert_eq!((order.status(), order.run_kind()), (Status::Canceled, RunKind::Idle));
    assert!(order.take_facts().is_empty(), "a cancelled order never says refunded");
}

#[test]
fn captured_after_cancel_moves_the_ledger_and_nothing_else() {
    let mut order = Stage::CanceledEarly.build(1);
    order.take_facts();
    order.note_captured(1, usd(25_000), totals(1, 25_000, 0), &cause(60)).unwrap();
    assert_eq!(order.status(), Status::Canceled);
    assert_eq!(order.left(), usd(25_000));
    assert!(order.take_facts().is_empty(), "payment gives it back by itself");
}

#[test]
fn the_cancellations_own_refund_is_kept_apart_from_those_asked_for() {
    let mut order = Stage::Canceled.build(1);
    let id = format!("cancel:{}", order.id());
    order.note_refunded(&id, usd(25_000), totals(2, 25_000, 25_000), &cause(60)).unwrap();
    assert!(!order.refund(&id).unwrap().is_asked_for());
    assert!(!order.cancel_refund_failed());
    assert_eq!(order.left(), usd(0));
    assert_eq!(order.shown_status(), Status::Canceled);
}

#[test]
fn money_kept_by_a_cancelled_order_is_known_and_loud() {
    let mut failed = Stage::Canceled.build(1);
    let id = format!("cancel:{}", failed.id());
    let kept = totals(2, 25_000, 0);
    failed.note_refund_failed(&id, usd(25_000), "refund_declined", kept, &cause(60)).unwrap();
    assert!(failed.cancel_refund_failed());
    failed.take_milestones();
    failed.note_closed(totals(3, 25_000, 0), &cause(61)).unwrap();
    assert_eq!(failed.take_milestones(), [Milestone::MoneyKept]);

    // The failure itself was lost: the closing totals tell it too.
    let mut lost = Stage::Canceled.build(1);
    lost.note_closed(totals(3, 25_000, 0), &cause(61)).unwrap();
    assert!(lost.cancel_refund_failed());
}

#[test]
fn an_order_canceled_before_any_run_was_never_submitted() {
    let mut order = order(1);
    order.cancel("", &call(5)).unwrap();
    assert_eq!(order.revision(), 0);
    assert!(matches!(
        &order.take_facts()[..],
        [Fact::Created { .. }, Fact::Canceled { saga_id: None, .. }]
    ));
}
