//! Tasks: how they fail, how they end, how they die.

use std::{convert::Infallible, future::pending, sync::Arc, time::Duration};

use oms_seams::Seams;
use oms_service::{Host, Process};
use tokio::sync::Notify;

use crate::support::{PATIENCE, host, soon};

#[tokio::test]
async fn a_task_that_fails_stops_the_process_and_says_why() {
    let host = host();
    host.tasks().spawn("relay", async { Err("broker is gone") });
    let reason = soon("the failure", host.process().failed().wait()).await;
    assert_eq!(reason, "test: relay: broker is gone");
}

#[tokio::test]
async fn a_task_that_panics_stops_the_process_and_says_why() {
    let host = host();
    host.tasks().spawn("relay", async { panic!("number {}", 7) as Result<(), Infallible> });
    let reason = soon("the failure", host.process().failed().wait()).await;
    assert_eq!(reason, "test: relay: panicked: number 7");
}

#[tokio::test]
async fn the_first_failure_is_the_reason_for_all_services_of_the_process() {
    let process = Process::new();
    let one = Host::new("one", Seams::system(), process.clone());
    let two = Host::new("two", Seams::system(), process.clone());
    one.tasks().spawn("a", async { Err("first") });
    soon("the failure", two.process().failed().wait()).await;
    two.tasks().spawn("b", async { Err("second") });
    two.gone().await;
    assert_eq!(process.failed().reason().unwrap(), "one: a: first");
}

#[tokio::test]
async fn a_task_that_ends_well_stops_nothing() {
    let host = host();
    host.tasks().spawn("once", async { Ok::<_, Infallible>(()) });
    soon("its end", host.gone()).await;
    assert!(host.process().failed().reason().is_none());
}

#[tokio::test]
async fn a_drain_lets_workers_finish_what_they_do() {
    let host = host();
    let (workers, flushed) = (host.workers(), Arc::new(Notify::new()));
    let last = flushed.clone();
    host.tasks().spawn("relay", async move {
        workers.cancelled().await;
        tokio::task::yield_now().await;
        last.notify_one();
        Ok::<_, Infallible>(())
    });
    soon("the drain", host.drain(PATIENCE)).await;
    soon("the last flush", flushed.notified()).await;
    assert!(host.process().failed().reason().is_none());
}

#[tokio::test]
async fn a_worker_that_does_not_end_is_killed_when_the_drain_is_over() {
    let host = host();
    host.tasks().spawn("stuck", pending::<Result<(), Infallible>>());
    soon("the drain", host.drain(Duration::from_millis(20))).await;
    assert!(host.process().failed().reason().is_none(), "killed is not failed");
}

#[tokio::test]
async fn a_kill_drops_every_task_where_it_is() {
    struct Dropped(Arc<Notify>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }
    let host = host();
    let (workers, dropped) = (host.workers(), Arc::new(Notify::new()));
    let held = Dropped(dropped.clone());
    host.tasks().spawn("relay", async move {
        let _held = held;
        pending::<()>().await;
        Err("goes on after a kill")
    });
    host.kill();
    soon("all tasks end", host.gone()).await;
    soon("the drop", dropped.notified()).await;
    assert!(workers.is_cancelled());
    assert!(host.process().failed().reason().is_none());
    host.tasks().spawn("late", async { Err("runs after a kill") });
    soon("the late task ends", host.gone()).await;
    assert!(host.process().failed().reason().is_none());
}
