//! Every fact in every stage: twice is once, and nothing but the contract's moves happens.

use oms_order::domain::{Cause, HeardError, Noted, Order, Status};

use crate::support::{Stage, cause, totals, usd};

type Note = fn(&mut Order, &Cause) -> Result<Noted, HeardError>;

/// Every fact about revision 1 and about the stages' refunds, with the totals that came with it.
fn facts() -> [(&'static str, Note); 12] {
    [
        ("reserved", |o, c| o.note_reserved(1, c)),
        ("rejected", |o, c| o.note_rejected(1, "out_of_stock", c)),
        ("captured", |o, c| o.note_captured(1, usd(25_000), totals(1, 25_000, 0), c)),
        ("declined", |o, c| o.note_declined(1, "card_declined", "no", totals(1, 0, 0), c)),
        ("refunded", |o, c| {
            let id = Stage::refund_id().to_string();
            o.note_refunded(&id, usd(25_000), totals(2, 25_000, 25_000), c)
        }),
        ("refund_failed", |o, c| {
            let id = Stage::refund_id().to_string();
            o.note_refund_failed(&id, usd(25_000), "no", totals(2, 25_000, 0), c)
        }),
        ("refunded cancel", |o, c| {
            let id = format!("cancel:{}", o.id());
            o.note_refunded(&id, usd(25_000), totals(2, 25_000, 25_000), c)
        }),
        ("refund_failed cancel", |o, c| {
            let id = format!("cancel:{}", o.id());
            o.note_refund_failed(&id, usd(25_000), "no", totals(2, 25_000, 0), c)
        }),
        ("released", Order::note_released),
        ("closed", |o, c| o.note_closed(totals(3, 25_000, 25_000), c)),
        ("reservation_expired", |o, c| o.note_reservation_expired(1, c)),
        ("dispatched", Order::note_dispatched),
    ]
}

#[test]
fn the_stages_are_what_their_names_say() {
    for stage in Stage::ALL {
        let order = stage.build(1);
        assert_eq!((order.status(), order.run_kind()), stage.expected(), "{stage:?}");
    }
}

#[test]
fn the_second_time_nothing_happens() {
    for stage in Stage::ALL {
        for (name, note) in facts() {
            let mut order = stage.build(1);
            let first = note(&mut order, &cause(60));
            order.take_facts();
            let after = order.state().clone();
            let second = note(&mut order, &cause(61));
            match first {
                Err(error) => assert_eq!(second, Err(error), "{name} in {stage:?}"),
                Ok(Noted::Moved | Noted::Already) => {
                    let quiet = [Ok(Noted::Already), Ok(Noted::Repeat)];
                    assert!(quiet.contains(&second), "{name} in {stage:?}: {second:?}");
                }
                Ok(Noted::Repeat) => assert_eq!(second, first, "{name} in {stage:?}"),
            }
            assert_eq!(order.state(), &after, "{name} in {stage:?}");
            assert!(order.take_facts().is_empty(), "{name} in {stage:?}");
        }
    }
}

/// Pairs of facts in both orders: whichever comes first, no order leaves CANCELED or REFUNDED, and
/// no fact is refused because another came before it.
#[test]
fn no_order_of_arrival_revives_an_ended_order_or_is_refused() {
    for stage in Stage::ALL {
        for (first_name, first) in facts() {
            for (second_name, second) in facts() {
                let context = format!("{first_name}, {second_name} in {stage:?}");
                let alone = second(&mut stage.build(1), &cause(60)).is_err();
                let mut order = stage.build(1);
                let _ = first(&mut order, &cause(60));
                let ended = order.status();
                let refused = second(&mut order, &cause(61)).is_err();
                assert_eq!(refused, alone, "{context}");
                if [Status::Canceled, Status::Refunded].contains(&ended) {
                    assert_eq!(order.status(), ended, "{context}");
                }
            }
        }
    }
}

#[test]
fn an_expired_reservation_is_an_ask_unless_the_pay_run_is_open() {
    for stage in Stage::ALL {
        let mut order = stage.build(1);
        let before = order.state().clone();
        let noted = order.note_reservation_expired(1, &cause(60));
        match stage {
            Stage::Paying | Stage::Reserved => assert_eq!(order.status(), Status::Canceled),
            Stage::Pending | Stage::CanceledPending => {
                assert_eq!(noted, Err(HeardError::RevisionAhead));
            }
            _ => {
                assert_eq!(noted, Ok(Noted::Repeat), "{stage:?}");
                assert_eq!(order.state(), &before);
            }
        }
    }
}
