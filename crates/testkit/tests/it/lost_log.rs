//! The broker loses everything it holds, at every stage of a run: asking heals it (rule 10).

use oms_testkit::{Branch, Stack, StackOptions};

/// More than the events of any branch, so that the last rounds lose nothing any more.
const STAGES: u64 = 12;

// One thread, so that the log is lost exactly when its n-th record was written and before anybody
// could read that record.
#[tokio::test]
async fn a_run_ends_whenever_the_log_is_lost() {
    for branch in [Branch::Paid, Branch::Declined, Branch::OutOfStock] {
        lost_at_every_stage(branch).await;
    }
}

#[tokio::test]
async fn a_cancellation_ends_whenever_the_log_is_lost() {
    for branch in [Branch::CanceledDuringRun, Branch::CanceledAfterwards] {
        lost_at_every_stage(branch).await;
    }
}

#[tokio::test]
async fn a_refund_ends_whenever_the_log_is_lost() {
    for branch in [Branch::RefundedInPart, Branch::RefundedInFull] {
        lost_at_every_stage(branch).await;
    }
}

#[tokio::test]
async fn a_shipment_ends_whenever_the_log_is_lost() {
    for branch in [Branch::Completed, Branch::RefundedAfterShipping] {
        lost_at_every_stage(branch).await;
    }
}

async fn lost_at_every_stage(branch: Branch) {
    let mut losses = 0;
    for stage in 1..=STAGES {
        let options = StackOptions { lose_log_at: Some(stage), ..StackOptions::default() };
        let stack = Stack::with(options).await.unwrap();
        let clients = stack.clients().await.unwrap();
        let order = branch.play(&clients, "only").await;
        let order = order.unwrap_or_else(|error| panic!("{branch:?} at {stage}: {error:#}"));
        stack.rest().await.unwrap();
        let seen = clients.order(&order).await.unwrap().order.unwrap();
        assert_eq!(seen.status(), branch.ends(), "{branch:?} at {stage}");
        losses += u64::from(stack.log_was_lost());
        stack.finish().await.unwrap();
    }
    assert!(losses >= 4, "{branch:?}: the log was lost only {losses} times");
}
