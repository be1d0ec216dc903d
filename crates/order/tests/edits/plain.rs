//! Before anything was begun a change is done at once.

use std::{collections::BTreeSet, time::Duration};

use oms_order::{
    commands::{Change, CommandError, EditOrder, Edited, Expected, PlacedLine, Reply, edit_order},
    domain::{Refusal, Status},
};
use oms_proto::oms_v1::OrderStatus;
use oms_service::idempotency::Answer;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::stage::{LONG, add, edit, keyed, patience, stored, told, wanted, watching, wish};
use crate::served::{Paying, Served, cancel, create_for, each_backend, pay};

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_stored_shown_and_paid_for() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        let context = served.context();
        let order = served.created(10_000).await;
        let first = stored(&served, &order).await.lines()[0].clone();
        edit(&context, &order, add("SKU-X", 700)).await.unwrap();
        let placed = vec![
            PlacedLine { id: None, line: wanted("SKU-Y", 2, 300) },
            PlacedLine { id: Some(first.id), line: wanted(&first.sku, 2, 10_000) },
        ];
        let other = Some("customer-other".to_owned());
        let change = Change::Replace { customer_id: other, currency: None, lines: placed };
        let done = edit(&context, &order, change).await.unwrap();
        assert_eq!(stored(&served, &order).await.state(), done.state());
        assert_eq!(done.lines()[1].created_at, first.created_at);

        let view = served.view(&order).await;
        let shown = view.order.unwrap();
        assert_eq!((shown.amount_minor, shown.version), (20_600, 3));
        assert_eq!(shown.customer_id, "customer-other");
        let skus: Vec<_> = shown.items.iter().map(|item| item.sku.as_str()).collect();
        assert_eq!(skus, ["SKU-Y", first.sku.as_str()]);
        let types: Vec<_> = view.timeline.iter().map(|entry| entry.event_type.as_str()).collect();
        assert_eq!(types, ["OrderCreated", "OrderEdited", "OrderEdited"]);

        served.client.clone().pay_order(pay(&order)).await.unwrap();
        let paid = served.reaches(&order, OrderStatus::Confirmed).await.order.unwrap();
        assert_eq!((paid.captured_minor, paid.amount_minor), (20_600, 20_600));
        assert_eq!(served.said(&order)[..2], ["oms.order.created.v1", "oms.order.submitted.v1"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_changes_at_once_are_all_done_one_after_another() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        let order = served.created(10_000).await;
        let mut calls = JoinSet::new();
        for n in 0..20 {
            let (context, order) = (served.context(), order.clone());
            calls.spawn(async move { edit(&context, &order, add(&format!("SKU-{n}"), 100)).await });
        }
        let versions: BTreeSet<i32> =
            calls.join_all().await.into_iter().map(|done| done.unwrap().version()).collect();
        assert_eq!(versions, (2..=21).collect());
        let order = stored(&served, &order).await;
        assert_eq!((order.lines().len(), order.total().minor()), (21, 12_000));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_changes_once_and_a_refused_change_keeps_no_key() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        let context = served.context();
        let order = served.created(10_000).await;
        let change = add("SKU-X", 700);
        let call = |change: &Change, key: &str| {
            let (wish, keyed) = (wish(change.clone()), Some(keyed(key, change)));
            edit_order(&context, order.clone(), wish, keyed, patience(LONG))
        };
        let Reply::Fresh(Edited { order: first }) = call(&change, "k").await.unwrap() else {
            panic!("the first call is its own")
        };
        let again = call(&change, "k").await.unwrap();
        let answer = Answer::Ok(told(&first).into_bytes());
        assert_eq!(told_of(again), (answer, true));
        assert_eq!(stored(&served, &order).await.version(), 2);
        let conflict = call(&add("SKU-Y", 1), "k").await.unwrap_err();
        assert!(matches!(conflict, CommandError::KeyConflict), "{conflict:?}");

        let before = served.rows().await;
        let taken = call(&change, "other").await.unwrap_err();
        assert!(matches!(taken, CommandError::Refused(Refusal::ProductTaken(_))), "{taken:?}");
        assert_eq!(served.rows().await, before);
        call(&add("SKU-Y", 1), "other").await.unwrap();
    }
}

fn told_of(reply: Reply<Edited>) -> (Answer, bool) {
    match reply {
        Reply::Fresh(fresh) => panic!("not remembered: {fresh:?}"),
        Reply::Remembered { answer, replayed } => (answer, replayed),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_expected_or_nobody_knows_is_refused() {
    let served = Served::start().await;
    let context = served.context();
    let order = served.created(10_000).await;
    let seen = stored(&served, &order).await;
    edit(&context, &order, add("SKU-X", 700)).await.unwrap();
    let before = served.rows().await;
    for expected in [
        Expected { version: Some(1), updated_at: None },
        Expected { version: None, updated_at: Some(seen.updated_at()) },
    ] {
        let wish = EditOrder { expected, ..wish(add("SKU-Y", 1)) };
        let told = edit_order(&context, order.clone(), wish, None, patience(LONG)).await;
        let told = told.map(drop).unwrap_err();
        let expected = matches!(
            told,
            CommandError::Refused(Refusal::VersionMismatch { .. } | Refusal::UpdatedMeanwhile)
        );
        assert!(expected, "{told:?}");
    }
    let nobody = Uuid::from_u128(1).to_string();
    let told = edit(&context, &nobody, add("SKU-Y", 1)).await.unwrap_err();
    assert!(matches!(told, CommandError::NotFound), "{told:?}");
    assert_eq!(served.rows().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_waits_for_the_pay_run_up_to_its_callers_time() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        let context = watching(&served);
        let order = served.created(10_000).await;
        served.others.pay(Paying::Wait);
        served.client.clone().pay_order(pay(&order)).await.unwrap();
        let short = patience(Duration::from_millis(20));
        let told = edit_order(&context, order.clone(), wish(add("SKU-X", 1)), None, short).await;
        let told = told.map(drop).unwrap_err();
        assert!(matches!(told, CommandError::Refused(Refusal::Busy)), "{told:?}");

        let cancels = async {
            while context.changes.waiting() == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            served.client.clone().cancel_order(cancel(&order)).await.unwrap();
        };
        // Together: a call that nobody polls keeps the order's lock.
        let (told, ()) = tokio::join!(edit(&context, &order, add("SKU-X", 1)), cancels);
        let told = told.unwrap_err();
        let refusal = Refusal::NotEditable(Status::Canceled);
        assert!(matches!(&told, CommandError::Refused(told) if *told == refusal), "{told:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_creation_does_not_find_an_order_that_was_changed() {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        let mut client = served.client.clone();
        let create = || create_for("customer-twice", 10_000);
        let first = client.create_order(create()).await.unwrap().into_inner().order_id;
        let again = client.create_order(create()).await.unwrap().into_inner().order_id;
        assert_eq!(first, again);
        edit(&served.context(), &first, add("SKU-X", 1)).await.unwrap();
        let other = client.create_order(create()).await.unwrap().into_inner().order_id;
        assert_ne!(first, other, "these parameters ask for an order without the new line");
    }
}
