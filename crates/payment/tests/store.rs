//! Races over the store, on every backend: the order's lock decides, nobody is lost (rule 1).

use futures::future::join_all;
use oms_payment::domain::State;
use oms_service::testing::backends;

use crate::support::{
    Bench, ORDER, canceled, confirmed, order, refund_requested, reserved, submitted,
};

const VISA: &str = "pm_card_visa";

#[tokio::test]
async fn the_same_fact_heard_by_many_at_once_counts_once() {
    for backend in backends() {
        let bench = Bench::new(&backend).await;
        let other = bench.process(None).await;
        let (sub, res) = (submitted(ORDER, 100, VISA), reserved(ORDER, 1));
        let heard = (0..16).map(|n| {
            let at = if n % 2 == 0 { &bench } else { &other };
            at.hear([if n % 4 < 2 { sub.clone() } else { res.clone() }])
        });
        join_all(heard).await;
        let payment = bench.payment(ORDER).await;
        assert_eq!(payment.captures[&1].progress.state, State::Due, "{backend:?}");
        bench.work().await;
        assert_eq!(bench.types(ORDER).await, ["captured"]);
    }
}

#[tokio::test]
async fn cancel_racing_with_the_outcome_always_ends_with_nothing_kept() {
    for backend in backends() {
        let bench = Bench::new(&backend).await;
        for n in 0..20 {
            bench.hear([submitted(&order(n), 100, VISA), reserved(&order(n), 1)]).await;
        }
        let canceling = (0..20).map(|n| {
            let bench = &bench;
            async move { bench.hear([canceled(&order(n))]).await }
        });
        tokio::join!(bench.work(), join_all(canceling));
        bench.work().await;
        for n in 0..20 {
            let payment = bench.payment(&order(n)).await;
            assert!(payment.closed && payment.totals.kept() == 0, "{backend:?}: {payment:?}");
            assert_eq!(bench.types(&order(n)).await, ["captured", "refunded", "closed"]);
            assert_eq!(bench.moved(&order(n)).await, [(1, 100), (1, 100)]);
        }
    }
}

#[tokio::test]
async fn transactions_over_the_same_orders_in_any_order_do_not_deadlock() {
    for backend in backends() {
        let bench = Bench::new(&backend).await;
        let other = bench.process(None).await;
        let forth: Vec<_> = (0..10).map(|n| submitted(&order(n), 100, VISA)).collect();
        let back: Vec<_> = (0..10).rev().map(|n| reserved(&order(n), 1)).collect();
        for _ in 0..5 {
            let (a, b) = tokio::join!(bench.try_hear(&forth), other.try_hear(&back));
            a.unwrap();
            b.unwrap();
        }
        assert_eq!(bench.work().await, 10, "{backend:?}");
    }
}

#[tokio::test]
async fn a_transaction_that_does_not_commit_leaves_nothing() {
    use oms_messaging::Reactor;
    for backend in backends() {
        let bench = Bench::new(&backend).await;
        let event = canceled(ORDER);
        let mut tx = bench.messaging.begin().await.unwrap();
        tx.lock([ORDER.to_owned()]).await.unwrap();
        let mut session = bench.reactions.load(&mut tx, &[&event]).await.unwrap();
        bench.reactions.react(&mut session, &event).unwrap();
        bench.reactions.save(&mut tx, session).await.unwrap();
        drop(tx);
        assert!(bench.view(ORDER).await.is_none(), "{backend:?}");
        assert_eq!(bench.types(ORDER).await, [""; 0]);
    }
}

#[tokio::test]
async fn a_refused_fact_takes_the_whole_transaction_with_it() {
    let bench = Bench::new(&backends()[0]).await;
    let batch = [submitted(&order(1), 100, VISA), submitted(&order(2), -1, VISA)];
    let refused = bench.try_hear(&batch).await.unwrap_err();
    assert_eq!(refused.code(), "impossible_amount");
    assert!(bench.view(&order(1)).await.is_none());
}

#[tokio::test]
async fn everything_a_payment_knows_survives_the_database() {
    for backend in backends() {
        let bench = Bench::new(&backend).await;
        bench.hear([reserved(ORDER, 2), submitted(ORDER, 100, VISA), reserved(ORDER, 1)]).await;
        bench.work().await;
        bench.hear([confirmed(ORDER, 1, 90), refund_requested(ORDER, "r-1", 30)]).await;
        bench.hear([refund_requested(ORDER, "r-2", 500), canceled(ORDER)]).await;
        let before = bench.payment(ORDER).await;
        assert!(before.closing && !before.closed);
        assert_eq!((before.total, before.concluded_revision, before.verdict_revision), (90, 1, 1));
        assert_eq!(before.refunds["r-1"].progress.state, State::Due);
        assert_eq!(before.refunds["r-2"].progress.code, "nothing_left");
        assert!(before.captures[&2].reserved && before.captures[&2].noted.is_none());
        let after = bench.process(None).await.payment(ORDER).await;
        assert_eq!(after, before, "{backend:?}");
    }
}
