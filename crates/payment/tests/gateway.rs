//! The simulated gateway by itself.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use oms_payment::gateway::{
    CaptureOrder, Gateway, GatewayMigrator, RefundOrder, SimulatedGateway, Unknown, Verdict,
};
use oms_seams::SystemClock;
use oms_service::{
    Database,
    testing::{Backend, TestDatabase, backends},
};

use crate::support::{ORDER, order};

fn over(database: &Database) -> SimulatedGateway {
    let (write, read) = (database.write.clone(), database.read.clone());
    SimulatedGateway::new(write, read, Arc::new(SystemClock), Duration::from_millis(30))
}

async fn fresh(backend: &Backend) -> (TestDatabase, SimulatedGateway) {
    let kept = TestDatabase::migrated::<GatewayMigrator>(backend).await;
    let gateway = over(&kept.database);
    (kept, gateway)
}

fn capture(key: &str, order: &str, amount_minor: i64, method: &str) -> CaptureOrder {
    CaptureOrder {
        idempotency_key: key.to_owned(),
        order_id: order.to_owned(),
        customer_id: "customer-1".to_owned(),
        amount_minor,
        currency: "USD".to_owned(),
        method: method.to_owned(),
    }
}

fn refund(key: &str, amount_minor: i64) -> RefundOrder {
    RefundOrder {
        idempotency_key: key.to_owned(),
        order_id: ORDER.to_owned(),
        amount_minor,
        currency: "USD".to_owned(),
    }
}

#[tokio::test]
async fn the_same_key_gets_the_same_answer_and_moves_money_once_also_after_a_restart() {
    for backend in backends() {
        let (kept, gateway) = fresh(&backend).await;
        let asked = || capture("capture:1", ORDER, 100, "pm_card_visa");
        let concurrent = join_all((0..20).map(|_| gateway.capture(asked()))).await;
        assert!(concurrent.iter().all(|answer| *answer == Ok(Verdict::Approved)));
        let declined = gateway.capture(capture("capture:2", ORDER, 7, "pm_card_declined")).await;
        let restarted = over(&kept.reopen().await);
        assert_eq!(restarted.capture(asked()).await, Ok(Verdict::Approved));
        let again = restarted.capture(capture("capture:2", ORDER, 7, "pm_card_declined")).await;
        assert_eq!(again, declined);
        let charges = restarted.charges(ORDER).await.unwrap();
        let asks: Vec<_> = charges.iter().map(|one| (one.amount_minor, one.asks)).collect();
        assert_eq!(asks, [(100, 21), (7, 2)], "{backend:?}");
    }
}

#[tokio::test]
async fn two_processes_at_once_decide_about_one_key_once() {
    for backend in backends() {
        let (kept, here) = fresh(&backend).await;
        let there = over(&kept.reopen().await);
        let ask = |gateway: SimulatedGateway, n: usize| async move {
            let asked = capture(&format!("capture:{}", n / 2), &order(n / 4), 5, "pm_card_visa");
            gateway.capture(asked).await
        };
        let both = (0..40).map(|n| ask(if n % 2 == 0 { here.clone() } else { there.clone() }, n));
        for answer in join_all(both).await {
            assert_eq!(answer, Ok(Verdict::Approved), "{backend:?}");
        }
        for n in 0..10 {
            assert_eq!(here.charges(&order(n)).await.unwrap().len(), 2);
        }
    }
}

#[tokio::test]
async fn concurrent_refunds_never_give_back_more_than_was_taken() {
    for backend in backends() {
        let (kept, here) = fresh(&backend).await;
        let there = over(&kept.reopen().await);
        here.capture(capture("capture:1", ORDER, 10_000, "pm_card_visa")).await.unwrap();
        let keys: Vec<String> = (0..50).map(|n| format!("refund:{n}")).collect();
        let both = [&here, &there];
        let asked = keys.iter().enumerate().map(|(n, key)| both[n % 2].refund(refund(key, 700)));
        let answers = join_all(asked).await;
        let given = answers.iter().filter(|answer| **answer == Ok(Verdict::Approved)).count();
        assert_eq!(given, 14, "{backend:?}");
    }
}

#[tokio::test]
async fn a_timeout_charges_but_only_the_second_ask_learns_of_it() {
    let (_kept, gateway) = fresh(&Backend::Sqlite).await;
    let asked = || capture("capture:1", ORDER, 100, "pm_card_timeout");
    assert!(matches!(gateway.capture(asked()).await, Err(Unknown(_))));
    assert_eq!(gateway.charges(ORDER).await.unwrap()[0].verdict, Verdict::Approved);
    assert_eq!(gateway.capture(asked()).await, Ok(Verdict::Approved));
    assert_eq!(gateway.charges(ORDER).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_used_for_another_movement_is_never_answered() {
    let (_kept, gateway) = fresh(&Backend::Sqlite).await;
    gateway.capture(capture("key", ORDER, 100, "pm_card_visa")).await.unwrap();
    for other in
        [capture("key", ORDER, 101, "pm_card_visa"), capture("key", "o", 100, "pm_card_visa")]
    {
        assert!(matches!(gateway.capture(other).await, Err(Unknown(_))));
    }
    assert!(matches!(gateway.refund(refund("key", 100)).await, Err(Unknown(_))));
    assert_eq!(gateway.charges(ORDER).await.unwrap()[0].asks, 1);
}

#[tokio::test]
async fn some_cards_take_no_refunds_and_slow_ones_approve_in_the_end() {
    let (_kept, gateway) = fresh(&Backend::Sqlite).await;
    gateway.capture(capture("capture:1", ORDER, 100, "pm_refund_fails")).await.unwrap();
    let refused = gateway.refund(refund("refund:1", 10)).await.unwrap();
    assert!(matches!(refused, Verdict::Declined { ref code, .. } if code == "refund_failed"));
    let slow = capture("capture:2", ORDER, 100, "pm_card_slow");
    assert_eq!(gateway.capture(slow).await, Ok(Verdict::Approved));
}

#[tokio::test]
async fn a_caller_that_goes_away_in_the_middle_holds_up_nobody() {
    let (_kept, gateway) = fresh(&Backend::Sqlite).await;
    for n in 0..20 {
        let key = format!("capture:{n}");
        let mut gone = Box::pin(gateway.capture(capture(&key, ORDER, 1, "pm_card_visa")));
        let _ = futures::poll!(gone.as_mut());
        drop(gone);
    }
    let answer = gateway.capture(capture("capture:x", ORDER, 1, "pm_card_visa")).await;
    assert_eq!(answer, Ok(Verdict::Approved));
    for n in 0..20 {
        let asked = capture(&format!("capture:{n}"), ORDER, 1, "pm_card_visa");
        assert_eq!(gateway.capture(asked).await, Ok(Verdict::Approved));
    }
    assert_eq!(gateway.charges(ORDER).await.unwrap().len(), 21);
}
