//! RefundOrder and the refund run.

use oms_order::domain::{
    Currency, Fact, Milestone, Money, Order, OrderState, Refund, RefundState, Refusal, RunKind,
    Status, Step, StepEnd,
};
use proptest::prelude::*;
use uuid::Uuid;

use crate::support::{Stage, at, call, cause, confirmed, totals, usd};

fn ask(order: &mut Order, n: u128, amount: Option<i64>) -> Result<Money, Refusal> {
    order.request_refund(Uuid::from_u128(n), amount.map(usd), "damaged", &call(20))
}

fn give(order: &mut Order, n: u128, amount: i64, sequence: i64) {
    let refunded = order.ledger().refunded.minor() + amount;
    let id = Uuid::from_u128(n).to_string();
    order.note_refunded(&id, usd(amount), totals(sequence, 25_000, refunded), &cause(21)).unwrap();
}

#[test]
fn without_an_amount_everything_left_is_asked_for() {
    let mut order = confirmed(1);
    assert_eq!(ask(&mut order, 1, Some(10_000)), Ok(usd(10_000)));
    give(&mut order, 1, 10_000, 2);
    assert_eq!(ask(&mut order, 2, None), Ok(usd(15_000)));
}

#[test]
fn a_partial_refund_is_shown_and_the_lifecycle_stays() {
    let mut order = confirmed(1);
    ask(&mut order, 1, Some(10_000)).unwrap();
    assert_eq!(order.shown_status(), Status::Confirmed, "not before it succeeded");
    order.take_facts();
    give(&mut order, 1, 10_000, 2);
    assert_eq!((order.status(), order.shown_status()), (Status::Confirmed, Status::Refunded));
    assert_eq!(order.ledger().refunded, usd(10_000));
    assert!(order.take_facts().is_empty(), "refunded is said only when nothing is left");
}

#[test]
fn a_full_refund_ends_in_refunded_and_gives_the_hold_back() {
    let mut order = confirmed(1);
    ask(&mut order, 1, None).unwrap();
    order.take_facts();
    order.take_milestones();
    give(&mut order, 1, 25_000, 2);
    assert_eq!((order.status(), order.run_kind()), (Status::Refunded, RunKind::Idle));
    let refund_id = Uuid::from_u128(1);
    assert_eq!(order.take_facts(), [Fact::Refunded { refund_id, release: true }]);
    let reached = order.take_milestones();
    assert!(
        matches!(
            &reached[..],
            [
                Milestone::StepEnded { step: Step::Refund, end: StepEnd::Done, .. },
                Milestone::RefundEnded { succeeded: true },
            ]
        ),
        "{reached:?}"
    );
    assert!(order.is_waiting(), "for `released`");
}

#[test]
fn a_full_refund_after_shipping_releases_nothing() {
    for status in [Status::Shipped, Status::Completed] {
        let mut order = Order::restore(OrderState { status, ..confirmed(1).state().clone() });
        ask(&mut order, 1, None).unwrap();
        order.take_facts();
        give(&mut order, 1, 25_000, 2);
        let refund_id = Uuid::from_u128(1);
        assert_eq!(order.take_facts(), [Fact::Refunded { refund_id, release: false }]);
        assert!(order.is_waiting(), "for `dispatched`");
    }
}

#[test]
fn a_failed_refund_leaves_the_order_as_it_was() {
    let mut order = confirmed(1);
    ask(&mut order, 1, None).unwrap();
    let id = Uuid::from_u128(1).to_string();
    let same = totals(2, 25_000, 0);
    order.note_refund_failed(&id, usd(25_000), "refund_declined", same, &cause(22)).unwrap();
    assert_eq!((order.status(), order.shown_status()), (Status::Confirmed, Status::Confirmed));
    assert_eq!(order.refund(&id).unwrap().state, RefundState::Failed);
    assert_eq!(order.refund(&id).unwrap().code, "refund_declined");
    assert_eq!(ask(&mut order, 2, None), Ok(usd(25_000)), "it can be asked for again");
}

#[test]
fn one_refund_run_at_a_time() {
    let mut order = confirmed(1);
    ask(&mut order, 1, Some(700)).unwrap();
    assert_eq!(ask(&mut order, 2, Some(700)), Err(Refusal::Busy));
    give(&mut order, 1, 700, 2);
    assert_eq!(ask(&mut order, 2, Some(700)), Ok(usd(700)));
}

#[test]
fn what_is_wrong_with_an_amount_is_named_and_nothing_changes() {
    let mut order = confirmed(1);
    let before = order.state().clone();
    let yen = Some(Money::new(1, Currency::parse("JPY").unwrap()));
    let other = order.request_refund(Uuid::from_u128(1), yen, "", &call(20));
    assert_eq!(other, Err(Refusal::RefundCurrency));
    assert_eq!(ask(&mut order, 1, Some(0)), Err(Refusal::RefundNotPositive));
    assert_eq!(ask(&mut order, 1, Some(-1)), Err(Refusal::RefundNotPositive));
    assert_eq!(ask(&mut order, 1, Some(25_001)), Err(Refusal::RefundTooHigh));
    assert_eq!(order.state(), &before);
    assert_eq!(Refusal::RefundTooHigh.to_string(), "refund exceeds the captured amount");
}

#[test]
fn orders_without_money_to_give_back_are_not_eligible() {
    for stage in Stage::ALL {
        let mut order = stage.build(1);
        let answer = ask(&mut order, 9, None);
        match stage {
            Stage::Confirmed => assert_eq!(answer, Ok(usd(25_000))),
            Stage::Shipped | Stage::Completed => assert_eq!(answer, Ok(usd(25_000))),
            Stage::Refunding | Stage::ShippedRefunding | Stage::Amending => {
                assert_eq!(answer, Err(Refusal::Busy));
            }
            _ => assert_eq!(answer, Err(Refusal::NotRefundable), "{stage:?}"),
        }
    }
    assert_eq!(Refusal::NotRefundable.to_string(), "order is not eligible for refund");
}

#[test]
fn a_canceled_order_that_kept_money_can_be_refunded_once_closed_and_stays_canceled() {
    let mut order = Stage::Canceled.build(1);
    assert_eq!(ask(&mut order, 1, None), Err(Refusal::NotRefundable), "payment is not through");
    order.note_closed(totals(3, 25_000, 0), &cause(60)).unwrap();
    assert_eq!(ask(&mut order, 1, None), Ok(usd(25_000)));
    order.take_facts();
    give(&mut order, 1, 25_000, 4);
    assert_eq!((order.status(), order.shown_status()), (Status::Canceled, Status::Canceled));
    assert!(order.take_facts().is_empty());
    assert_eq!(ask(&mut order, 2, None), Err(Refusal::NotRefundable), "nothing is left");
}

#[test]
fn only_refunds_that_were_asked_for_are_shown() {
    for (id, shown) in [
        (Uuid::from_u128(1).to_string(), Status::Refunded),
        (format!("amend:{}:2", confirmed(1).id()), Status::Confirmed),
        (format!("cancel:{}", confirmed(1).id()), Status::Confirmed),
    ] {
        let given = Refund {
            id,
            amount: usd(700),
            state: RefundState::Succeeded,
            reason: String::new(),
            code: String::new(),
            asked_at: at(20),
            ended_at: Some(at(21)),
        };
        let state = OrderState { refunds: vec![given], ..confirmed(1).state().clone() };
        assert_eq!(Order::restore(state).shown_status(), shown);
    }
}

#[test]
fn the_refund_of_a_cancellation_that_never_was_moves_the_ledger_alone() {
    let mut order = confirmed(1);
    let id = format!("cancel:{}", order.id());
    order.note_refunded(&id, usd(25_000), totals(2, 25_000, 25_000), &cause(30)).unwrap();
    assert_eq!((order.status(), order.refunds()), (Status::Confirmed, &[][..]));
    assert_eq!(order.ledger().refunded, usd(25_000));
}

proptest! {
    /// Refunds of any sizes, some refused by payment: never more than was captured, REFUNDED
    /// exactly when nothing is left.
    #[test]
    fn refunds_never_exceed_what_was_captured(
        asks in prop::collection::vec((1_i64..30_000, any::<bool>()), 1..30)
    ) {
        let mut order = confirmed(1);
        let mut given = 0;
        for ((amount, succeeds), n) in asks.into_iter().zip(1_u128..) {
            let sequence = i64::try_from(n).unwrap() + 1;
            let left = 25_000 - given;
            match ask(&mut order, n, Some(amount)) {
                Ok(asked) => {
                    prop_assert!(asked.minor() <= left);
                    prop_assert_eq!(order.refundable().minor(), left - asked.minor());
                    if succeeds {
                        given += amount;
                        give(&mut order, n, amount, sequence);
                    } else {
                        let id = Uuid::from_u128(n).to_string();
                        let same = totals(sequence, 25_000, given);
                        let cause = cause(23);
                        order.note_refund_failed(&id, usd(amount), "no", same, &cause).unwrap();
                    }
                }
                Err(Refusal::RefundTooHigh) => prop_assert!(amount > left && left > 0),
                Err(refusal) => {
                    prop_assert_eq!(refusal, Refusal::NotRefundable);
                    prop_assert_eq!(left, 0);
                }
            }
            prop_assert_eq!(order.ledger().refunded.minor(), given);
            prop_assert_eq!(order.status() == Status::Refunded, given == 25_000);
        }
    }
}
