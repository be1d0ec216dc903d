//! The worker dies at every point, and a new process goes on with the same data (I4).

use chrono::TimeDelta;
use oms_service::testing::{Backend, backends};

use crate::support::{
    Bench, CrashAt, ORDER, canceled, confirmed, order, refund_requested, reserved, submitted,
};

const POINTS: [&str; 4] =
    ["gateway.before_call", "gateway.after_call", "outcome.before_commit", "outcome.after_commit"];

/// What the gateway must have moved, and what payment must have said, in the end.
struct Case {
    name: &'static str,
    method: &'static str,
    /// Confirmed first, so that a crash hits the refund instead of the capture.
    paid_first: bool,
    refund: Option<i64>,
    cancel: bool,
    moved: [(usize, i64); 2],
    told: Vec<&'static str>,
}

fn cases() -> Vec<Case> {
    let case = |name, method, paid_first, refund, cancel, moved, told| Case {
        name,
        method,
        paid_first,
        refund,
        cancel,
        moved,
        told,
    };
    let (visa, taken) = ("pm_card_visa", [(1, 100), (0, 0)]);
    let back = [(1, 100), (1, 100)];
    vec![
        case("capture", visa, false, None, false, taken, vec!["captured"]),
        case("timeout", "pm_card_timeout", false, None, false, taken, vec!["captured"]),
        case("decline", "pm_card_declined", false, None, false, [(0, 0); 2], vec!["declined"]),
        case("cancel", visa, false, None, true, back, vec!["captured", "refunded", "closed"]),
        case(
            "refund",
            visa,
            true,
            Some(30),
            false,
            [(1, 100), (1, 30)],
            vec!["captured", "refunded"],
        ),
        case(
            "refund and cancel",
            visa,
            true,
            Some(30),
            true,
            [(1, 100), (2, 100)],
            vec!["captured", "refunded", "refunded", "closed"],
        ),
    ]
}

async fn prepare(bench: &Bench, case: &Case) {
    bench.hear([submitted(ORDER, 100, case.method), reserved(ORDER, 1)]).await;
    if case.paid_first {
        bench.work().await;
        bench.hear([confirmed(ORDER, 1, 100)]).await;
    }
    if let Some(amount) = case.refund {
        bench.hear([refund_requested(ORDER, "r-1", amount)]).await;
    }
    if case.cancel {
        bench.hear([canceled(ORDER)]).await;
    }
}

/// Works until nothing is due, also nothing postponed.
async fn finish(bench: &Bench) {
    for _ in 0..4 {
        bench.later();
        bench.work().await;
    }
}

async fn crash(backend: &Backend, point: &'static str, nth: u32, case: &Case) {
    let bench = Bench::new(backend).await;
    prepare(&bench, case).await;
    let plan = CrashAt::new(point, nth);
    let dying = bench.process(Some(plan.clone())).await;
    let mut worker = dying.worker();
    plan.kill(async {
        loop {
            worker.step().await.unwrap();
            dying.clock.advance(TimeDelta::minutes(2));
        }
    })
    .await;
    drop(worker);
    let restarted = dying.process(None).await;
    drop(dying);
    finish(&restarted).await;
    let at = format!("{backend:?}: {} dies at {point} #{nth}", case.name);
    assert_eq!(restarted.moved(ORDER).await, case.moved, "{at}");
    assert_eq!(restarted.types(ORDER).await, case.told, "{at}");
    let payment = restarted.payment(ORDER).await;
    let ledger = (payment.totals.captured, payment.totals.refunded);
    assert_eq!(ledger, (case.moved[0].1, case.moved[1].1), "{at}");
    assert_eq!(payment.closed, case.cancel, "{at}");
}

#[tokio::test]
async fn a_crash_anywhere_costs_no_second_charge_and_loses_nothing() {
    for backend in backends() {
        for case in cases() {
            for point in POINTS {
                crash(&backend, point, 1, &case).await;
            }
        }
    }
}

#[tokio::test]
async fn a_crash_at_the_second_movement_costs_no_second_refund() {
    for case in cases().into_iter().filter(|case| case.cancel) {
        for point in POINTS {
            crash(&Backend::Sqlite, point, 2, &case).await;
        }
    }
}

#[tokio::test]
async fn a_crash_among_many_leaves_each_with_one_charge() {
    let bench = Bench::new(&Backend::Sqlite).await;
    for n in 0..20 {
        bench.hear([submitted(&order(n), 100, "pm_card_visa"), reserved(&order(n), 1)]).await;
    }
    for point in POINTS {
        let plan = CrashAt::new(point, if point.starts_with("gateway") { 7 } else { 1 });
        let dying = bench.process(Some(plan.clone())).await;
        bench.later();
        let mut worker = dying.worker();
        let died = plan.kill(async {
            worker.step().await.unwrap();
            std::future::pending::<()>().await;
        });
        if tokio::time::timeout(std::time::Duration::from_secs(20), died).await.is_err() {
            panic!("{point} was never reached");
        }
        if point == "outcome.after_commit" {
            break;
        }
    }
    finish(&bench).await;
    for n in 0..20 {
        assert_eq!(bench.moved(&order(n)).await, [(1, 100), (0, 0)]);
        assert_eq!(bench.types(&order(n)).await, ["captured"]);
    }
}
