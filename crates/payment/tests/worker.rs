//! The worker, step by step.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use futures::future::join_all;
use oms_payment::{
    domain::State,
    gateway::Verdict,
    worker::{Worker, WorkerSettings},
};
use oms_seams::Clock;
use oms_service::testing::{Backend, backends};

use crate::support::{
    Bench, Gate, ORDER, Silent, canceled, confirmed, order, refund_requested, reserved,
    stop_at_once, submitted,
};

const VISA: &str = "pm_card_visa";

async fn due(bench: &Bench, order: &str, total: i64, method: &str) {
    bench.hear([submitted(order, total, method), reserved(order, 1)]).await;
}

async fn paid(bench: &Bench, order: &str, total: i64, method: &str) {
    due(bench, order, total, method).await;
    bench.work().await;
    bench.hear([confirmed(order, 1, total)]).await;
}

/// Steps `worker` and, once its call is inside the gateway, does `meanwhile`, then opens the gate.
async fn step_with(worker: &mut Worker, gate: &Gate, meanwhile: impl Future<Output = ()>) {
    let other = async {
        gate.entered.notified().await;
        meanwhile.await;
        gate.open_wide();
    };
    let (stepped, ()) = tokio::join!(worker.step(), other);
    assert_eq!(stepped.unwrap(), 1);
}

#[tokio::test]
async fn what_is_due_is_captured_once_and_every_call_is_in_the_ledger() {
    for backend in backends() {
        let bench = Bench::new(&backend).await;
        for n in 0..5 {
            due(&bench, &order(n), 100, VISA).await;
        }
        assert_eq!(bench.work().await, 5, "{backend:?}");
        assert_eq!(bench.work().await, 0);
        for n in 0..5 {
            assert_eq!(bench.types(&order(n)).await, ["captured"]);
            assert_eq!(bench.moved(&order(n)).await, [(1, 100), (0, 0)]);
            let attempts = bench.view(&order(n)).await.unwrap().attempts;
            let calls: Vec<_> = attempts.iter().map(|call| call.outcome.as_str()).collect();
            assert_eq!(calls, ["approved"]);
            assert_eq!(attempts[0].idempotency_key, format!("capture:{}:1", order(n)));
        }
    }
}

#[tokio::test]
async fn an_unknown_outcome_is_asked_again_with_the_same_key_also_after_a_restart() {
    for restart in [false, true] {
        let bench = Bench::new(&Backend::Sqlite).await;
        due(&bench, ORDER, 100, "pm_card_timeout").await;
        assert_eq!(bench.work().await, 1);
        assert_eq!(bench.payment(ORDER).await.captures[&1].progress.state, State::Due);
        assert_eq!(bench.types(ORDER).await, [""; 0]);
        assert_eq!(bench.work().await, 0, "not before its delay has passed");
        let bench = if restart { bench.process(None).await } else { bench };
        bench.later();
        assert_eq!(bench.work().await, 1);
        assert_eq!(bench.types(ORDER).await, ["captured"]);
        assert_eq!(bench.moved(ORDER).await, [(1, 100), (0, 0)]);
        let attempts = bench.view(ORDER).await.unwrap().attempts;
        let calls: Vec<_> = attempts.iter().map(|call| call.outcome.as_str()).collect();
        assert_eq!(calls, ["approved", "unknown"], "newest first");
        assert_eq!(attempts[0].idempotency_key, attempts[1].idempotency_key);
    }
}

#[tokio::test]
async fn a_gateway_that_never_answers_is_asked_for_ever_with_growing_delays() {
    let mut bench = Bench::new(&Backend::Sqlite).await;
    bench.settings = WorkerSettings { gateway_timeout_ms: 5, ..WorkerSettings::default() };
    due(&bench, ORDER, 100, VISA).await;
    let mut worker = bench.worker_with(Arc::new(Silent));
    let mut delays = Vec::new();
    for attempt in 1..=12 {
        assert_eq!(worker.step().await.unwrap(), 1);
        let progress = bench.payment(ORDER).await.captures[&1].progress.clone();
        assert_eq!((progress.state, progress.attempts), (State::Due, attempt));
        delays.push((progress.next_at.unwrap() - bench.clock.now()).num_milliseconds());
        bench.clock.advance(TimeDelta::seconds(61));
    }
    assert_eq!(delays[..4], [200, 400, 800, 1_600]);
    assert_eq!(delays[10..], [60_000, 60_000]);
    stop_at_once(worker).await;
    bench.settings = WorkerSettings::default();
    bench.later();
    bench.work().await;
    assert_eq!(bench.types(ORDER).await, ["captured"]);
}

#[tokio::test]
async fn a_capture_that_comes_back_after_cancel_is_given_back_or_closes_at_once() {
    let cases = [
        (VISA, vec!["captured", "refunded", "closed"], [(1, 100), (1, 100)]),
        ("pm_card_declined", vec!["declined", "closed"], [(0, 0), (0, 0)]),
    ];
    for backend in backends() {
        for (method, told, moved) in cases.clone() {
            let bench = Bench::new(&backend).await;
            due(&bench, ORDER, 100, method).await;
            let gate = Gate::closed(&bench.gateway);
            let mut worker = bench.worker_with(gate.clone());
            step_with(&mut worker, &gate, bench.hear([canceled(ORDER)])).await;
            stop_at_once(worker).await;
            bench.work().await;
            assert_eq!(bench.types(ORDER).await, told, "{backend:?}");
            assert_eq!(bench.moved(ORDER).await, moved);
            let payment = bench.payment(ORDER).await;
            assert!(payment.closed && payment.totals.kept() == 0);
        }
    }
}

#[tokio::test]
async fn cancel_while_a_refund_is_at_the_gateway_gives_back_only_the_rest() {
    for backend in backends() {
        let bench = Bench::new(&backend).await;
        paid(&bench, ORDER, 100, VISA).await;
        bench.hear([refund_requested(ORDER, "r-1", 30)]).await;
        let gate = Gate::closed(&bench.gateway);
        let mut worker = bench.worker_with(gate.clone());
        step_with(&mut worker, &gate, bench.hear([canceled(ORDER)])).await;
        stop_at_once(worker).await;
        bench.work().await;
        assert_eq!(bench.types(ORDER).await, ["captured", "refunded", "refunded", "closed"]);
        assert_eq!(bench.moved(ORDER).await, [(1, 100), (2, 100)]);
        assert_eq!(bench.payment(ORDER).await.refunds[&format!("cancel:{ORDER}")].amount, 70);
    }
}

#[tokio::test]
async fn fifty_refunds_of_700_on_10000_give_exactly_fourteen() {
    for backend in backends() {
        let bench = Bench::new(&backend).await;
        paid(&bench, ORDER, 10_000, VISA).await;
        let ids: Vec<String> = (0..50).map(|n| format!("r-{n}")).collect();
        let asked = ids.iter().map(|id| bench.hear([refund_requested(ORDER, id, 700)]));
        tokio::join!(join_all(asked), async {
            bench.work().await;
        });
        bench.work().await;
        let told = bench.told(ORDER).await;
        let count = |short: &str| told.iter().filter(|(said, _)| said == short).count();
        assert_eq!((count("refunded"), count("refund_failed")), (14, 36), "{backend:?}");
        let failed = told.iter().filter(|(said, _)| said == "refund_failed");
        assert!(failed.into_iter().all(|(_, data)| data["code"] == "nothing_left"));
        assert_eq!(bench.moved(ORDER).await, [(1, 10_000), (14, 9_800)]);
    }
}

#[tokio::test]
async fn money_that_cannot_be_given_back_is_counted_when_the_order_closes() {
    let bench = Bench::new(&Backend::Sqlite).await;
    paid(&bench, ORDER, 100, "pm_refund_fails").await;
    bench.hear([canceled(ORDER)]).await;
    assert_eq!(bench.metrics.kept(), 0);
    bench.work().await;
    assert_eq!(bench.types(ORDER).await, ["captured", "refund_failed", "closed"]);
    let last = bench.told(ORDER).await.pop().unwrap().1;
    assert_eq!(last["totals"]["refunded_minor"], 0);
    assert_eq!(bench.metrics.kept(), 1);
    paid(&bench, &order(1), 100, VISA).await;
    bench.hear([canceled(&order(1))]).await;
    bench.work().await;
    assert_eq!(bench.metrics.kept(), 1, "only money that was kept");
}

#[tokio::test]
async fn a_second_worker_does_nothing_while_the_first_has_the_lease() {
    let bench = Bench::new(&Backend::Sqlite).await;
    let other = bench.process(None).await;
    let (mut first, mut second) = (bench.worker(), other.worker());
    assert_eq!(first.step().await.unwrap(), 0);
    due(&bench, ORDER, 100, VISA).await;
    assert_eq!(second.step().await.unwrap(), 0);
    stop_at_once(first).await;
    assert_eq!(second.step().await.unwrap(), 1, "the lease was given back");
}

#[tokio::test]
async fn two_workers_that_ask_about_the_same_movements_record_each_once() {
    for backend in backends() {
        let bench = Bench::new(&backend).await;
        paid(&bench, &order(1), 100, VISA).await;
        due(&bench, ORDER, 100, VISA).await;
        bench.hear([refund_requested(&order(1), "r-1", 30), canceled(&order(1))]).await;
        let other = bench.process(None).await;
        let gate = Gate::closed(&bench.gateway);
        let mut first = bench.worker_with(gate.clone());
        let second = async {
            while gate.inside() < 2 {
                gate.entered.notified().await;
            }
            bench.later();
            assert_eq!(other.worker().step().await.unwrap(), 2, "its lease had run out");
            assert_eq!(other.types(ORDER).await, ["captured"]);
            gate.open_wide();
        };
        let (stepped, ()) = tokio::join!(first.step(), second);
        assert_eq!(stepped.unwrap(), 2);
        stop_at_once(first).await;
        bench.later();
        bench.work().await;
        assert_eq!(bench.types(ORDER).await, ["captured"], "{backend:?}");
        assert_eq!(bench.moved(ORDER).await, [(1, 100), (0, 0)]);
        assert_eq!(bench.charges(ORDER).await[0].asks, 2);
        assert_eq!(bench.view(ORDER).await.unwrap().attempts.len(), 2, "both calls are known");
        let told = bench.types(&order(1)).await;
        assert_eq!(told, ["captured", "refunded", "refunded", "closed"]);
        assert_eq!(bench.moved(&order(1)).await, [(1, 100), (2, 100)]);
    }
}

#[tokio::test]
async fn a_step_takes_no_more_than_its_bound_oldest_first() {
    let mut bench = Bench::new(&Backend::Sqlite).await;
    bench.settings.gateway_calls_max = 2;
    for n in 0..5 {
        bench.clock.advance(TimeDelta::milliseconds(1));
        due(&bench, &order(n), 100, VISA).await;
    }
    let mut worker = bench.worker();
    let mut calls = Vec::new();
    for _ in 0..4 {
        calls.push(worker.step().await.unwrap());
        let taken = futures::future::join_all((0..5).map(|n| bench.order_is_captured(n))).await;
        let first_open = taken.iter().position(|taken| !taken).unwrap_or(5);
        assert!(taken[first_open..].iter().all(|taken| !taken), "oldest first: {taken:?}");
    }
    assert_eq!(calls, [2, 2, 1, 0]);
}

impl Bench {
    async fn order_is_captured(&self, n: usize) -> bool {
        let charges = self.charges(&order(n)).await;
        charges.iter().any(|charge| charge.verdict == Verdict::Approved)
    }
}

#[tokio::test]
async fn slow_cards_are_captured_in_the_end() {
    let bench = Bench::new(&Backend::Sqlite).await;
    due(&bench, ORDER, 100, "pm_card_slow").await;
    tokio::time::timeout(Duration::from_secs(20), bench.work()).await.unwrap();
    assert_eq!(bench.types(ORDER).await, ["captured"]);
}
