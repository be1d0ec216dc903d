//! A payment service without its loops: databases, reactions, gateway and workers, driven by hand.

mod bench;
mod events;
mod gateways;
mod seams;

pub(crate) use bench::{Bench, Told, stop_at_once};
pub(crate) use events::{
    ORDER, amended, canceled, confirmed, event_of, order, refund_requested, reserved, submitted,
    submitted_by,
};
pub(crate) use gateways::{Gate, Silent};
pub(crate) use seams::{CrashAt, ManualClock};

use std::{future::Future, time::Duration};

/// Looks until `look` gives a value; fails loudly when it never does.
pub(crate) async fn eventually<T, F, Fut>(what: &str, mut look: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    let patience = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(value) = look().await {
            return value;
        }
        assert!(tokio::time::Instant::now() < patience, "never came true: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
