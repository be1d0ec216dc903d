//! On a CONFIRMED order a change is an amendment: the call waits for what becomes of it.

use std::time::Duration;

use oms_order::{
    commands::{Change, CommandError, Edited, Reply, edit_order},
    domain::{Order, Refusal, Status},
};
use oms_service::idempotency::Answer;

use super::stage::{LONG, add, edit, keyed, patience, stored, watching, wish};
use crate::served::{Paying, Served, cancel, each_backend};

/// The order with its stored lines, and what the service knows of its money.
async fn money(served: &Served, order: &str) -> (i64, i64, i64) {
    let order = stored(served, order).await;
    let ledger = order.ledger();
    (order.total().minor(), ledger.captured.minor(), ledger.refunded.minor())
}

fn set(order: &Order, qty: i32) -> Change {
    Change::SetQuantity { line: order.lines()[0].id, qty }
}

fn refused(told: Result<Order, CommandError>) -> Refusal {
    match told.unwrap_err() {
        CommandError::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn money_follows_each_change_of_a_confirmed_order() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        let context = watching(&served);
        let order = served.confirmed(10_000).await;
        let more = edit(&context, &order, add("SKU-X", 700)).await.unwrap();
        assert_eq!((more.total().minor(), more.lines().len()), (10_700, 2));
        assert_eq!(money(&served, &order).await, (10_700, 10_700, 0));
        let line = more.lines()[0].id;
        let less = edit(&context, &order, Change::Remove { line }).await.unwrap();
        assert_eq!((less.status(), less.shown_status()), (Status::Confirmed, Status::Confirmed));
        assert_eq!(money(&served, &order).await, (700, 10_700, 10_000));
        let same = edit(&context, &order, set(&less, 1)).await.unwrap();
        assert_eq!(same.revision(), less.revision(), "nothing to change");

        let view = served.view(&order).await;
        let types: Vec<_> = view.timeline.iter().map(|entry| entry.event_type.as_str()).collect();
        let amended = ["AmendmentRequested", "OrderAmended"];
        assert_eq!(types[4..], [amended, amended].concat());
        let said = served.says(&order, 7).await;
        let amended = ["oms.order.amended.v1", "oms.order.confirmed.v1"];
        assert_eq!(said[3..], [amended, amended].concat());
        assert!(served.counts("oms_amendments_total{outcome=\"accepted\"} 2").await);
        served.until_rest(&order).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_change_leaves_everything_as_it_was() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        let context = watching(&served);
        let order = served.confirmed(10_000).await;
        let before = stored(&served, &order).await;
        let more = add("SKU-X", 700);
        served.others.pay(Paying::OutOfStock);
        let told = refused(edit(&context, &order, more.clone()).await);
        assert_eq!(told, Refusal::InventoryUnavailable);
        served.others.pay(Paying::Decline);
        let told = refused(edit(&context, &order, more.clone()).await);
        assert_eq!(told, Refusal::PaymentDeclined);
        let half =
            Change::Replace { customer_id: None, currency: None, lines: vec![half(&before)] };
        assert_eq!(refused(edit(&context, &order, half).await), Refusal::RefundFailed);
        let after = stored(&served, &order).await;
        assert_eq!((after.lines(), after.revision()), (before.lines(), 7));
        assert_eq!(money(&served, &order).await, (10_000, 10_000, 0));
        served.others.pay(Paying::Approve);
        assert_eq!(edit(&context, &order, more).await.unwrap().total().minor(), 10_700);
    }
}

fn half(order: &Order) -> oms_order::commands::PlacedLine {
    let first = &order.lines()[0];
    oms_order::commands::PlacedLine {
        id: Some(first.id),
        line: super::stage::wanted(&first.sku, first.qty, first.price.minor() / 2),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_not_known_in_time_goes_on_and_its_key_asks_again() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        let context = watching(&served);
        let order = served.confirmed(10_000).await;
        let change = add("SKU-X", 700);
        let call = |lasts| {
            let (wish, keyed) = (wish(change.clone()), Some(keyed("k", &change)));
            edit_order(&context, order.clone(), wish, keyed, patience(lasts))
        };
        served.others.pay(Paying::Wait);
        let told = call(Duration::from_millis(50)).await.unwrap_err();
        assert!(matches!(told, CommandError::StillAmending), "{told:?}");
        let told = call(Duration::from_millis(50)).await.unwrap_err();
        assert!(matches!(told, CommandError::KeyRunning), "{told:?}");
        let told = edit(&context, &order, add("SKU-Y", 1));
        served.others.pay(Paying::Approve);
        let Reply::Remembered { answer: Answer::Ok(first), replayed } = call(LONG).await.unwrap()
        else {
            panic!("the key's answer is the answer")
        };
        assert!(replayed && !first.is_empty());
        told.await.unwrap();
        let again = call(LONG).await.unwrap();
        let first = Answer::Ok(first);
        assert_eq!(answer_of(again), (first, true), "whatever became of the order since");
        assert_eq!(stored(&served, &order).await.lines().len(), 3);
    }
}

fn answer_of(reply: Reply<Edited>) -> (Answer, bool) {
    match reply {
        Reply::Fresh(fresh) => panic!("not remembered: {fresh:?}"),
        Reply::Remembered { answer, replayed } => (answer, replayed),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_refusal_of_an_amendment_is_what_its_key_remembers() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        let context = watching(&served);
        let order = served.confirmed(10_000).await;
        let change = add("SKU-X", 700);
        let call = || {
            let (wish, keyed) = (wish(change.clone()), Some(keyed("k", &change)));
            edit_order(&context, order.clone(), wish, keyed, patience(LONG))
        };
        served.others.pay(Paying::OutOfStock);
        let (first, replayed) = answer_of(call().await.unwrap());
        assert!(matches!(&first, Answer::Refused { .. }) && !replayed, "{first:?}");
        served.others.pay(Paying::Approve);
        assert_eq!(answer_of(call().await.unwrap()), (first, true));
        assert_eq!(stored(&served, &order).await.revision(), 3, "it was not tried again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_answers_whoever_waits_for_an_amendment() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        let context = watching(&served);
        for key in [None, Some("k")] {
            let order = served.confirmed(10_000).await;
            served.others.pay(Paying::Wait);
            let change = add("SKU-X", 700);
            let keyed = key.map(|key| keyed(key, &change));
            let waits = edit_order(&context, order.clone(), wish(change), keyed, patience(LONG));
            let canceled = async {
                served.until(&order, |view| view.timeline.len() == 5).await;
                served.client.clone().cancel_order(cancel(&order)).await.unwrap();
            };
            let (told, ()) = tokio::join!(waits, canceled);
            match told {
                Err(CommandError::Refused(refusal)) => {
                    assert_eq!((key, refusal), (None, Refusal::AmendmentCanceled));
                }
                Ok(reply) => {
                    let (answer, replayed) = answer_of(reply);
                    let Answer::Refused { reason, .. } = answer else { panic!("{answer:?}") };
                    assert_eq!((key, replayed), (Some("k"), false));
                    assert_eq!(reason, "AMENDMENT_CANCELED");
                }
                Err(other) => panic!("{other:?}"),
            }
            served.others.pay(Paying::Approve);
            served.until_rest(&order).await;
            let (total, captured, refunded) = money(&served, &order).await;
            assert_eq!((total, captured, refunded), (10_000, 10_700, 10_700), "all went back");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_amendment_that_began_before_a_restart_ends_after_it() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        let order = served.confirmed(10_000).await;
        served.others.pay(Paying::Wait);
        let short = patience(Duration::from_millis(50));
        let context = served.context();
        let told = edit_order(&context, order.clone(), wish(add("X", 700)), None, short).await;
        assert!(matches!(told, Err(CommandError::StillAmending)));
        let running = stored(&served, &order).await;
        assert_eq!((running.lines().len(), running.revision()), (1, 2));
        let served = served.restart().await;
        served.until(&order, |view| view.order.as_ref().unwrap().items.len() == 2).await;
        assert_eq!(money(&served, &order).await, (10_700, 10_700, 0));
        served.until_rest(&order).await;
    }
}
