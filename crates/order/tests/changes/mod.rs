//! Calls that wait for an order are woken when it changes, and leave nothing behind.

use std::{sync::Arc, time::Duration};

use oms_order::{
    changes::{Changes, TooManyWaiting},
    store::Changed,
};
use tokio::{task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::support::{call, databases, order};

const PATIENCE: Duration = Duration::from_secs(20);

/// What the commit tells that creates an order.
fn created(n: u128) -> Changed {
    Changed {
        order: order(n),
        row_version: 0,
        entries: Vec::new(),
        milestones: Vec::new(),
        ended_refunds: Vec::new(),
        ended_pay_run: None,
        ended_amendments: Vec::new(),
    }
}

/// Whether a wake-up is there now.
async fn is_woken(waiter: &mut oms_order::changes::Waiter) -> bool {
    tokio::select! {
        biased;
        () = waiter.changed() => true,
        () = std::future::ready(()) => false,
    }
}

#[tokio::test]
async fn a_waiter_is_woken_by_its_own_order_alone() {
    let changes = Changes::new(10);
    let (one, other) = (order(1).id().to_string(), order(2).id().to_string());
    let (mut a, mut b) = (changes.watch(&one).unwrap(), changes.watch(&other).unwrap());
    changes.tell(created(1));
    // Nobody waits for this one.
    changes.tell(created(3));
    assert!(is_woken(&mut a).await);
    assert!(!is_woken(&mut a).await);
    assert!(!is_woken(&mut b).await);
}

#[tokio::test]
async fn a_change_between_watching_and_waiting_is_not_missed() {
    let changes = Changes::new(10);
    let id = order(1).id().to_string();
    let mut first = changes.watch(&id).unwrap();
    let mut second = changes.watch(&id).unwrap();
    changes.tell(created(1));
    changes.tell(created(1));
    assert!(is_woken(&mut first).await);
    assert!(is_woken(&mut second).await);
    let mut late = changes.watch(&id).unwrap();
    assert!(!is_woken(&mut late).await);
}

#[tokio::test]
async fn nothing_is_kept_for_orders_nobody_waits_for() {
    let changes = Changes::new(10);
    let (one, two) = (changes.watch("a").unwrap(), changes.watch("a").unwrap());
    assert_eq!(changes.waited_for(), 1);
    drop(one);
    assert_eq!(changes.waited_for(), 1);
    drop(two);
    assert_eq!(changes.waited_for(), 0);
}

#[tokio::test]
async fn more_orders_than_the_bound_are_not_waited_for() {
    let changes = Changes::new(2);
    let first = changes.watch("a").unwrap();
    let _second = changes.watch("b").unwrap();
    assert_eq!(changes.watch("c").unwrap_err(), TooManyWaiting);
    // One more call for an order that is waited for costs nothing.
    let _again = changes.watch("b").unwrap();
    drop(first);
    let _third = changes.watch("c").unwrap();
}

#[tokio::test]
async fn turns_are_taken_one_at_a_time() {
    let changes = Changes::new(10);
    let (one, two) = (changes.watch("a").unwrap(), changes.watch("a").unwrap());
    let other = changes.watch("b").unwrap();
    let turn = one.turn().await.unwrap();
    assert!(other.turn().await.is_some());
    let mut waiting = JoinSet::new();
    waiting.spawn(async move { two.turn().await.is_some() });
    tokio::task::yield_now().await;
    assert!(waiting.try_join_next().is_none());
    drop(turn);
    assert!(timeout(PATIENCE, waiting.join_next()).await.unwrap().unwrap().unwrap());
}

#[tokio::test]
async fn a_look_finds_changes_made_by_another_instance() {
    for db in databases().await {
        db.insert([order(1), order(2)]).await;
        let (a, b) = (order(1).id().to_string(), order(2).id().to_string());
        let changes = Changes::new(10);
        assert_eq!(changes.step(db.conn()).await.unwrap(), 0);
        let (mut first, mut second) = (changes.watch(&a).unwrap(), changes.watch(&b).unwrap());
        let _unknown = changes.watch("no such order").unwrap();
        // The first look cannot know what happened before it: it wakes everybody once.
        assert_eq!(changes.step(db.conn()).await.unwrap(), 2);
        assert!(is_woken(&mut first).await && is_woken(&mut second).await);
        assert_eq!(changes.step(db.conn()).await.unwrap(), 0);

        db.change(&a, |order| order.cancel("", &call(1)).unwrap()).await.unwrap();
        assert_eq!(changes.step(db.conn()).await.unwrap(), 1);
        assert!(is_woken(&mut first).await);
        assert!(!is_woken(&mut second).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_look_runs_while_somebody_waits() {
    let db = databases().await.remove(0).shared();
    db.insert([order(1)]).await;
    let id = order(1).id().to_string();
    let (changes, stop) = (Changes::new(10), CancellationToken::new());
    let mut tasks = JoinSet::new();
    let every = Duration::from_millis(5);
    tasks.spawn(changes.clone().run(db.conn().clone(), every, stop.clone()));
    for round in 0..2 {
        let mut waiter = changes.watch(&id).unwrap();
        timeout(PATIENCE, waiter.changed()).await.unwrap();
        let (elsewhere, id) = (Arc::clone(&db), id.clone());
        if round == 0 {
            elsewhere.change(&id, |order| order.cancel("", &call(1)).unwrap()).await.unwrap();
            timeout(PATIENCE, waiter.changed()).await.unwrap();
        }
    }
    stop.cancel();
    tasks.join_next().await.unwrap().unwrap().unwrap();
}
