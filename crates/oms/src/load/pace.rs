//! When orders begin: at a rate whatever happens, or one after the other.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::{JoinError, JoinSet},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{crowd::Crowd, journey, recorder::Recorder};
use crate::cli::{Exit, Failure};

/// Open loop: `rate` orders a second for `duration`, at most `outstanding` at once.
///
/// The `n`th order should begin at `n / rate`. When too many are under way it waits for one to
/// end, and its latencies still count from when it should have begun. What could not begin by the
/// end is dropped, and counted.
pub(super) async fn open(
    crowd: &Arc<Crowd>,
    rate: u32,
    duration: Duration,
    outstanding: u32,
    stop: &CancellationToken,
) {
    let (orders, begin) = (planned(rate, duration), Instant::now());
    let room = Arc::new(Semaphore::new(outstanding as usize));
    let mut playing = JoinSet::new();
    for n in 0..orders {
        let should = begin + due(n, rate);
        tokio::select! {
            () = sleep_until(should) => {}
            () = stop.cancelled() => break,
        }
        let Some(place) = place(crowd, &room, begin + duration, stop).await else {
            // Who ends the load early drops nothing.
            if !stop.is_cancelled() {
                crowd.recorder.dropped(orders - n);
            }
            break;
        };
        let shared = crowd.clone();
        playing.spawn(async move {
            journey::play(&shared, n, should).await;
            drop(place);
        });
        while let Some(how) = playing.try_join_next() {
            ended(&crowd.recorder, how);
        }
    }
    await_all(crowd, playing).await;
}

async fn await_all(crowd: &Crowd, mut playing: JoinSet<()>) {
    while let Some(how) = playing.join_next().await {
        ended(&crowd.recorder, how);
    }
}

/// A journey tells the recorder how it ended, unless a fault of this program cut it short.
fn ended(recorder: &Recorder, how: Result<(), JoinError>) {
    if let Err(error) = how {
        recorder.failed("journey", &Failure::new(Exit::Fault, error.to_string()));
    }
}

/// A place among those under way; `None` when there is none until the end.
async fn place(
    crowd: &Crowd,
    room: &Arc<Semaphore>,
    end: Instant,
    stop: &CancellationToken,
) -> Option<OwnedSemaphorePermit> {
    if let Ok(free) = room.clone().try_acquire_owned() {
        return Some(free);
    }
    crowd.recorder.delayed();
    tokio::select! {
        free = room.clone().acquire_owned() => free.ok(),
        () = sleep_until(end) => None,
        () = stop.cancelled() => None,
    }
}

/// Closed loop: so many customers, each buying one order after the other.
pub(super) async fn closed(
    crowd: &Arc<Crowd>,
    clients: u32,
    requests: u64,
    stop: &CancellationToken,
) {
    let next = Arc::new(AtomicU64::new(0));
    let mut playing = JoinSet::new();
    for _ in 0..u64::from(clients).min(requests) {
        let (crowd, next, stop) = (crowd.clone(), next.clone(), stop.clone());
        playing.spawn(async move {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= requests || stop.is_cancelled() {
                    return;
                }
                journey::play(&crowd, n, Instant::now()).await;
            }
        });
    }
    await_all(crowd, playing).await;
}

/// Orders that an open loop should begin.
pub(super) fn planned(rate: u32, duration: Duration) -> u64 {
    let orders = u128::from(rate) * duration.as_millis() / 1_000;
    u64::try_from(orders).unwrap_or(u64::MAX).max(1)
}

/// When the `n`th order should begin.
fn due(n: u64, rate: u32) -> Duration {
    let nanos = u128::from(n) * 1_000_000_000 / u128::from(rate);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_journey_that_panics_is_counted_as_an_error() {
        let recorder = Recorder::default();
        let mut playing = JoinSet::new();
        playing.spawn(async { panic!("a defect") });
        playing.spawn(async {});
        while let Some(how) = playing.join_next().await {
            ended(&recorder, how);
        }
        let errors = recorder.so_far().errors;
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors.keys().all(|what| what.contains("a defect")), "{errors:?}");
    }

    #[test]
    fn orders_are_due_at_a_constant_rate() {
        assert_eq!(planned(200, Duration::from_secs(30)), 6_000);
        assert_eq!(planned(3, Duration::from_millis(500)), 1);
        assert_eq!(due(0, 200), Duration::ZERO);
        assert_eq!(due(1, 200), Duration::from_millis(5));
        assert_eq!(due(6_000, 200), Duration::from_secs(30));
        assert_eq!(due(1, 3), Duration::from_nanos(333_333_333), "no error adds up");
        assert_eq!(due(3, 3), Duration::from_secs(1));
    }
}
