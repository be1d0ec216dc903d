//! The worker's loop: woken, sweeping, bounded, and never held up by one slow call.

use std::{
    future::Future,
    sync::{Arc, OnceLock},
    time::Duration,
};

use oms_messaging::Failure;
use oms_payment::{domain::State, worker::Worker};
use oms_seams::{FaultPlan, Verdict};
use oms_service::testing::Backend;
use sea_orm::ConnectionTrait;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::support::{
    Bench, Gate, ManualClock, ORDER, canceled, confirmed, eventually, order, refund_requested,
    reserved, submitted,
};

const VISA: &str = "pm_card_visa";

/// Runs `worker` for as long as `test` takes, then stops it in order.
async fn beside<T>(worker: Worker, test: impl Future<Output = T>) -> T {
    let stop = CancellationToken::new();
    let running = worker.run(stop.clone());
    let test = async {
        let done = test.await;
        stop.cancel();
        done
    };
    let (ran, done) = tokio::join!(running, test);
    ran.unwrap();
    done
}

async fn due(bench: &Bench, order: &str) {
    bench.hear([submitted(order, 100, VISA), reserved(order, 1)]).await;
}

async fn captured(bench: &Bench, order: &str) {
    eventually("captured", || async { (bench.types(order).await == ["captured"]).then_some(()) })
        .await;
}

/// How many of the first `orders` are captured.
async fn captured_of(bench: &Bench, orders: usize) -> usize {
    let mut captured = 0;
    for n in 0..orders {
        captured += usize::from(!bench.types(&order(n)).await.is_empty());
    }
    captured
}

#[tokio::test]
async fn a_commit_wakes_the_worker() {
    let mut bench = Bench::new(&Backend::Sqlite).await;
    // No sweep comes within the test: only the wake can do it.
    bench.settings.gateway_sweep_ms = 3_600_000;
    beside(bench.worker(), async {
        for n in 0..3 {
            due(&bench, &order(n)).await;
            captured(&bench, &order(n)).await;
        }
        // What an outcome makes due wakes it too.
        bench.hear([canceled(&order(0))]).await;
        eventually("closed", || async { bench.payment(&order(0)).await.closed.then_some(()) })
            .await;
    })
    .await;
}

#[tokio::test]
async fn the_sweep_finds_what_nobody_woke_it_for() {
    let bench = Bench::new(&Backend::Sqlite).await;
    let elsewhere = bench.process(None).await;
    beside(bench.worker(), async {
        due(&elsewhere, ORDER).await;
        captured(&bench, ORDER).await;
    })
    .await;
}

#[tokio::test]
async fn a_call_that_hangs_holds_up_no_other() {
    let bench = Bench::new(&Backend::Sqlite).await;
    let gate = Gate::closed_for(&bench.gateway, ORDER);
    beside(bench.worker_with(gate.clone()), async {
        due(&bench, ORDER).await;
        gate.entered.notified().await;
        for n in 0..10 {
            due(&bench, &order(n)).await;
        }
        for n in 0..10 {
            captured(&bench, &order(n)).await;
        }
        assert_eq!(bench.payment(ORDER).await.captures[&1].progress.state, State::Due);
        gate.open_wide();
        captured(&bench, ORDER).await;
    })
    .await;
    assert_eq!(bench.charges(ORDER).await[0].asks, 1, "asked once while it was under way");
}

#[tokio::test]
async fn no_more_calls_at_once_than_the_bound_and_none_is_forgotten() {
    let mut bench = Bench::new(&Backend::Sqlite).await;
    bench.settings.gateway_calls_max = 3;
    for n in 0..12 {
        due(&bench, &order(n)).await;
    }
    let gate = Gate::closed(&bench.gateway);
    beside(bench.worker_with(gate.clone()), async {
        eventually("three inside", || async { (gate.inside() == 3).then_some(()) }).await;
        for n in 0..12 {
            gate.let_through(1);
            eventually("one more through", || async {
                (captured_of(&bench, 12).await == n + 1).then_some(())
            })
            .await;
        }
    })
    .await;
    assert_eq!(gate.most_inside(), 3);
}

#[tokio::test]
async fn an_outcome_that_cannot_be_recorded_holds_up_no_other() {
    let bench = Bench::new(&Backend::Sqlite).await;
    for n in 0..4 {
        due(&bench, &order(n)).await;
    }
    bench.work().await;
    for n in 0..4 {
        bench.hear([confirmed(&order(n), 1, 100)]).await;
        bench.hear([refund_requested(&order(n), &format!("r-{n}"), 60)]).await;
    }
    // The ledger of one order is damaged from outside: its refund breaks the table's own check.
    let damage = |captured: i64| {
        format!("UPDATE payments SET captured = {captured} WHERE order_id = '{}'", order(2))
    };
    bench.database.write.execute_unprepared(&damage(0)).await.unwrap();
    let refunded = |n: usize| {
        let bench = &bench;
        async move {
            let told = bench.types(&order(n)).await;
            (told == ["captured", "refunded"]).then_some(())
        }
    };
    beside(bench.worker(), async {
        for n in [0, 1, 3] {
            eventually("refunded", || refunded(n)).await;
        }
        assert_eq!(bench.types(&order(2)).await, ["captured"]);
        bench.database.write.execute_unprepared(&damage(100)).await.unwrap();
        eventually("refunded", || refunded(2)).await;
    })
    .await;
    let charges = bench.charges(&order(2)).await;
    assert_eq!(charges.iter().map(|charge| charge.asks).collect::<Vec<_>>(), [1, 1]);
}

/// As a stream that somebody else has locked for too long: it fails as transient.
#[tokio::test]
async fn an_outcome_that_fails_as_transient_holds_up_no_other() {
    let bench = Bench::new(&Backend::Sqlite).await;
    for n in 0..4 {
        due(&bench, &order(n)).await;
    }
    // Writing this one order's capture says FULL, which SQLite does when row ids run out.
    let write = &bench.database.write;
    let table = "CREATE TABLE no_room (id INTEGER PRIMARY KEY AUTOINCREMENT, x INTEGER); \
                 INSERT INTO no_room VALUES (9223372036854775807, 1)";
    write.execute_unprepared(table).await.unwrap();
    let full = write.execute_unprepared("INSERT INTO no_room (x) VALUES (1)").await.unwrap_err();
    assert!(matches!(Failure::from(full), Failure::Transient(_)));
    let trigger = format!(
        "CREATE TRIGGER full BEFORE UPDATE ON captures \
         WHEN NEW.order_id = '{0}' AND NEW.state = 'succeeded' \
         BEGIN INSERT INTO no_room (x) VALUES (1); END; \
         CREATE TRIGGER full_new BEFORE INSERT ON captures \
         WHEN NEW.order_id = '{0}' AND NEW.state = 'succeeded' \
         BEGIN INSERT INTO no_room (x) VALUES (1); END",
        order(2)
    );
    write.execute_unprepared(&trigger).await.unwrap();
    // All four are ready together, so that they are recorded together first.
    let gate = Gate::closed(&bench.gateway);
    beside(bench.worker_with(gate.clone()), async {
        eventually("four inside", || async { (gate.inside() == 4).then_some(()) }).await;
        gate.open_wide();
        for n in [0, 1, 3] {
            captured(&bench, &order(n)).await;
        }
        assert_eq!(bench.types(&order(2)).await, [""; 0]);
        let mended = "DROP TRIGGER full; DROP TRIGGER full_new";
        bench.database.write.execute_unprepared(mended).await.unwrap();
        captured(&bench, &order(2)).await;
    })
    .await;
}

#[tokio::test]
async fn a_stop_records_what_is_on_its_way_and_gives_the_lease_back() {
    let bench = Bench::new(&Backend::Sqlite).await;
    due(&bench, ORDER).await;
    let gate = Gate::closed(&bench.gateway);
    let stop = CancellationToken::new();
    let running = bench.worker_with(gate.clone()).run(stop.clone());
    let test = async {
        gate.entered.notified().await;
        stop.cancel();
        gate.open_wide();
    };
    let (ran, ()) = tokio::join!(running, test);
    ran.unwrap();
    assert_eq!(bench.types(ORDER).await, ["captured"]);
    due(&bench, &order(1)).await;
    assert_eq!(bench.process(None).await.worker().step().await.unwrap(), 1);
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever_and_the_cut_off_call_is_asked_again() {
    let mut bench = Bench::new(&Backend::Sqlite).await;
    bench.settings.gateway_drain_ms_max = 20;
    due(&bench, ORDER).await;
    let gate = Gate::closed(&bench.gateway);
    let stop = CancellationToken::new();
    let running = bench.worker_with(gate.clone()).run(stop.clone());
    let test = async {
        gate.entered.notified().await;
        stop.cancel();
    };
    let (ran, ()) = tokio::join!(running, test);
    ran.unwrap();
    assert_eq!(bench.types(ORDER).await, [""; 0]);
    assert_eq!(bench.work().await, 1);
    assert_eq!(bench.types(ORDER).await, ["captured"]);
    assert_eq!(bench.moved(ORDER).await, [(1, 100), (0, 0)]);
}

#[tokio::test]
async fn two_loops_on_one_database_charge_each_order_once() {
    let bench = Bench::new(&Backend::Sqlite).await;
    let other = bench.process(None).await;
    let stop = CancellationToken::new();
    let both =
        async { tokio::join!(bench.worker().run(stop.clone()), other.worker().run(stop.clone())) };
    let test = async {
        for n in 0..20 {
            due(if n % 2 == 0 { &bench } else { &other }, &order(n)).await;
            if n == 10 {
                // The lease runs out under its holder: the other may take it any time.
                bench.later();
            }
        }
        for n in 0..20 {
            captured(&bench, &order(n)).await;
        }
        stop.cancel();
    };
    let ((first, second), ()) = tokio::join!(both, test);
    first.unwrap();
    second.unwrap();
    for n in 0..20 {
        assert_eq!(bench.moved(&order(n)).await, [(1, 100), (0, 0)]);
    }
}

#[tokio::test]
async fn a_database_that_is_away_for_a_while_is_waited_for() {
    let bench = Bench::new(&Backend::Sqlite).await;
    due(&bench, ORDER).await;
    let rename = |from: &str, to: &str| format!("ALTER TABLE {from} RENAME TO {to}");
    bench.database.write.execute_unprepared(&rename("captures", "away")).await.unwrap();
    let gate: Arc<Gate> = Gate::closed(&bench.gateway);
    gate.open_wide();
    beside(bench.worker_with(gate.clone()), async {
        // Several sweeps fail; the loop outlives them.
        tokio::time::sleep(Duration::from_millis(60)).await;
        bench.database.write.execute_unprepared(&rename("away", "captures")).await.unwrap();
        captured(&bench, ORDER).await;
    })
    .await;
}

/// Lets the lease run out, and wakes the worker, whenever an outcome is about to be committed.
#[derive(Debug)]
struct Impatient {
    clock: Arc<ManualClock>,
    wake: OnceLock<Arc<Notify>>,
}

impl FaultPlan for Impatient {
    fn reached(&self, point: &'static str) -> Verdict {
        if point == "outcome.before_commit" {
            self.clock.advance(chrono::TimeDelta::minutes(1));
            self.wake.get().unwrap().notify_one();
        }
        Verdict::Proceed
    }
}

#[tokio::test]
async fn the_lease_is_renewed_while_a_recording_has_the_only_writer() {
    let bench = Bench::new(&Backend::Sqlite).await;
    let plan = Arc::new(Impatient { clock: bench.clock.clone(), wake: OnceLock::new() });
    let bench = bench.process(Some(plan.clone())).await;
    plan.wake.set(bench.wake.clone()).unwrap();
    let test = beside(bench.worker(), async {
        for n in 0..4 {
            due(&bench, &order(n)).await;
            captured(&bench, &order(n)).await;
        }
    });
    // A loop that does not poll the recording while it waits for the writer stands still here.
    tokio::time::timeout(Duration::from_secs(30), test).await.unwrap();
}
