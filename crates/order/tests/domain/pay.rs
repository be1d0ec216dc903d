//! PayOrder and the pay run.

use oms_order::domain::{
    By, Fact, Milestone, Order, Paying, Refusal, Run, RunKind, RunOutcome, Status, StatusReason,
    Step, StepEnd,
};
use uuid::Uuid;

use crate::support::{Stage, at, call, cause, order, paying, totals, usd};

fn pay_again(order: &mut Order) -> Result<Paying, Refusal> {
    order.pay("pm_card_visa", Uuid::from_u128(0xBAD), at(999), &call(60))
}

#[test]
fn paying_submits_revision_one_with_its_total_and_deadline() {
    let mut order = order(1);
    order.take_facts();
    let saga = Uuid::from_u128(7);
    let paid = order.pay("pm_card_slow", saga, at(900), &call(1));
    assert_eq!(paid, Ok(Paying::Started));
    assert_eq!((order.status(), order.version(), order.revision()), (Status::Pending, 1, 1));
    assert_eq!(
        order.run(),
        Some(&Run::Pay { saga_id: saga, deadline: at(900), started_at: at(1) })
    );
    let lines = order.lines().to_vec();
    assert_eq!(
        order.take_facts(),
        [Fact::Submitted {
            saga_id: saga,
            revision: 1,
            lines,
            total: usd(25_000),
            method: "pm_card_slow".to_owned(),
            deadline: at(900),
        }]
    );
    assert_eq!(order.take_milestones(), [Milestone::RunStarted]);
}

#[test]
fn paying_while_the_run_goes_on_starts_nothing_and_tells_where_it_stands() {
    for (stage, status) in [(Stage::Paying, Status::Pending), (Stage::Reserved, Status::Reserved)] {
        let mut order = stage.build(1);
        let before = order.state().clone();
        order.take_facts();
        assert_eq!(pay_again(&mut order), Ok(Paying::Running(status)));
        assert_eq!(order.state(), &before);
        assert!(order.take_facts().is_empty());
    }
}

#[test]
fn paying_from_confirmed_on_or_after_a_cancel_is_refused() {
    for stage in Stage::ALL {
        if [Stage::Pending, Stage::Paying, Stage::Reserved].contains(&stage) {
            continue;
        }
        let mut order = stage.build(1);
        let before = order.state().clone();
        assert_eq!(pay_again(&mut order), Err(Refusal::NotPending), "{stage:?}");
        assert_eq!(order.state(), &before);
    }
    assert_eq!(Refusal::NotPending.to_string(), "order status must be pending");
}

#[test]
fn captured_makes_paid_and_confirmed_in_one_step() {
    let mut order = paying(1);
    order.note_reserved(1, &cause(2)).unwrap();
    assert_eq!(order.status(), Status::Reserved);
    order.take_facts();
    order.take_milestones();
    order.note_captured(1, usd(25_000), totals(1, 25_000, 0), &cause(4)).unwrap();
    assert_eq!((order.status(), order.run_kind()), (Status::Confirmed, RunKind::Idle));
    assert_eq!(order.state().settled_revision, 1);
    assert!(matches!(&order.take_facts()[..],
        [Fact::Confirmed { revision: 1, accepted: true, total, .. }] if *total == usd(25_000)));
    let lasted = at(4) - at(1);
    assert_eq!(
        order.take_milestones(),
        [
            Milestone::StepEnded { step: Step::Pay, end: StepEnd::Done, lasted: at(4) - at(2) },
            Milestone::RunEnded { outcome: RunOutcome::Completed, lasted }
        ]
    );
}

#[test]
fn captured_before_reserved_implies_it() {
    let mut order = paying(1);
    order.note_captured(1, usd(25_000), totals(1, 25_000, 0), &cause(2)).unwrap();
    assert_eq!((order.status(), order.version()), (Status::Confirmed, 4));
}

/// A failure: what happens, its code, who decided, and what paying again answers.
type Failure = (fn(&mut Order), &'static str, By, Refusal);

#[test]
fn a_failed_run_is_canceled_once_and_paying_again_tells_why() {
    let failures: [Failure; 4] = [
        (
            |order| {
                order.note_rejected(1, "out_of_stock", &cause(5)).unwrap();
            },
            StatusReason::INVENTORY_UNAVAILABLE,
            By::Inventory,
            Refusal::InventoryUnavailable,
        ),
        (
            |order| {
                order.note_declined(1, "card_declined", "no", totals(1, 0, 0), &cause(5)).unwrap();
            },
            StatusReason::PAYMENT_DECLINED,
            By::Payment,
            Refusal::PaymentDeclined,
        ),
        (
            |order| assert!(order.deadline_passed(&call(900))),
            StatusReason::DEADLINE_EXCEEDED,
            By::Deadline,
            Refusal::NotPending,
        ),
        (
            |order| {
                order.note_reservation_expired(1, &cause(5)).unwrap();
            },
            StatusReason::RESERVATION_EXPIRED,
            By::Inventory,
            Refusal::NotPending,
        ),
    ];
    for stage in [Stage::Paying, Stage::Reserved] {
        for (fail, code, by, told) in failures.clone() {
            let mut order = stage.build(1);
            order.take_facts();
            order.take_milestones();
            fail(&mut order);
            assert_eq!((order.status(), order.run_kind()), (Status::Canceled, RunKind::Idle));
            assert_eq!(order.status_reason().unwrap().code, code);
            let said = order.take_facts();
            assert!(
                matches!(&said[..], [Fact::Canceled { code: c, by: b, saga_id: Some(_) }]
                    if c == code && *b == by),
                "{said:?}"
            );
            let late = [StatusReason::DEADLINE_EXCEEDED, StatusReason::RESERVATION_EXPIRED];
            let how = if late.contains(&code) { StepEnd::Late } else { StepEnd::Refused };
            let which = if stage == Stage::Paying { Step::Reserve } else { Step::Pay };
            assert!(matches!(
                order.take_milestones()[..],
                [
                    Milestone::StepEnded { step, end, .. },
                    Milestone::RunEnded { outcome: RunOutcome::Failed, .. }
                ] if step == which && end == how
            ));
            assert_eq!(pay_again(&mut order), Err(told));
        }
    }
}

#[test]
fn the_deadline_ends_only_an_open_pay_run_and_only_when_it_has_passed() {
    for stage in Stage::ALL {
        let mut order = stage.build(1);
        assert!(!order.deadline_passed(&call(899)), "{stage:?}");
        let open = [Stage::Paying, Stage::Reserved].contains(&stage);
        assert_eq!(order.deadline_passed(&call(900)), open, "{stage:?}");
    }
}

#[test]
fn an_unexpected_version_is_refused() {
    let order = order(1);
    assert_eq!(order.expect_version(None), Ok(()));
    assert_eq!(order.expect_version(Some(1)), Ok(()));
    let mismatch = Refusal::VersionMismatch { expected: 2, actual: 1 };
    assert_eq!(order.expect_version(Some(2)), Err(mismatch));
}
