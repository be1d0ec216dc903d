//! Where a step may be stopped: it crashes at a fault point, or it is held while it waits for the
//! broker or the gateway and everything else goes on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::{FutureExt, future::BoxFuture};
use oms_seams::{FaultPlan, Faults, Verdict};
use tokio::sync::{Notify, oneshot};

/// A place outside the process at which a step can be held. No step holds a database connection
/// there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// On the way to the broker.
    BeforePublish,
    /// On the way back.
    AfterPublish,
    /// On the way to the gateway.
    BeforeCall,
    /// On the way back.
    AfterCall,
}

/// What is to happen to a step.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Arms {
    /// The process dies at the n-th fault point it reaches, counted from 1; 0 means never.
    pub crash_at: u32,
    /// The step is held when it comes to this place.
    pub hold_at: Option<Place>,
}

/// How driving a step ended.
pub(crate) enum Ended<T> {
    /// It ran to its end.
    Done(T),
    /// The process died at this fault point; what it had in its hands goes with the step.
    Crashed(&'static str, BoxFuture<'static, T>),
    /// It is held.
    Held(Held<T>),
}

/// A step that is held. Dropping it is a crash.
pub(crate) struct Held<T> {
    future: BoxFuture<'static, T>,
    release: oneshot::Sender<()>,
    /// Where.
    pub place: Place,
}

/// The fault points and places of one simulation. One step runs at a time, so one trap will do.
#[derive(Debug, Default)]
pub(crate) struct Trap {
    state: Mutex<State>,
    sprung: Notify,
}

#[derive(Debug, Default)]
struct State {
    arms: Arms,
    crashed: Option<&'static str>,
    held: Option<(Place, oneshot::Sender<()>)>,
}

impl Trap {
    /// The fault points that services are given.
    #[must_use]
    pub(crate) fn faults(self: &Arc<Self>) -> Faults {
        Faults::planned(self.clone())
    }

    /// Runs a step until it ends, its process dies, or it is held.
    pub(crate) async fn drive<T>(&self, mut step: BoxFuture<'static, T>, arms: Arms) -> Ended<T> {
        *self.state() = State { arms, ..State::default() };
        let done = tokio::select! {
            biased;
            done = &mut step => Some(done),
            () = self.sprung.notified() => None,
        };
        let state = std::mem::take(&mut *self.state());
        let _stale = self.sprung.notified().now_or_never();
        match (done, state.crashed, state.held) {
            (Some(done), ..) => Ended::Done(done),
            (None, Some(point), _) => Ended::Crashed(point, step),
            (None, None, Some((place, release))) => {
                Ended::Held(Held { future: step, release, place })
            }
            (None, None, None) => Ended::Crashed("nowhere", step),
        }
    }

    /// Lets a held step go on.
    pub(crate) async fn go_on<T: 'static>(&self, held: Held<T>, arms: Arms) -> Ended<T> {
        let Held { future, release, .. } = held;
        // It is there to receive: `future` owns the other end.
        let _sent = release.send(());
        self.drive(future, arms).await
    }

    /// Called at a place; goes on at once unless the step is to be held here.
    pub(crate) async fn pass(&self, place: Place) {
        let released = {
            let mut state = self.state();
            if state.arms.hold_at != Some(place) {
                return;
            }
            state.arms.hold_at = None;
            let (release, released) = oneshot::channel();
            state.held = Some((place, release));
            released
        };
        self.sprung.notify_one();
        let _released = released.await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FaultPlan for Trap {
    fn reached(&self, point: &'static str) -> Verdict {
        let mut state = self.state();
        match state.arms.crash_at {
            0 => return Verdict::Proceed,
            1 => {}
            _ => {
                state.arms.crash_at -= 1;
                return Verdict::Proceed;
            }
        }
        state.arms.crash_at = 0;
        state.crashed = Some(point);
        self.sprung.notify_one();
        Verdict::Crash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_step_ends_or_dies_or_is_held_and_goes_on() {
        let trap = Arc::new(Trap::default());
        let step = |trap: Arc<Trap>| {
            async move {
                trap.faults().hit("first").await;
                trap.pass(Place::BeforeCall).await;
                trap.faults().hit("second").await;
                7
            }
            .boxed()
        };
        let ended = trap.drive(step(trap.clone()), Arms::default()).await;
        assert!(matches!(ended, Ended::Done(7)));
        let arms = Arms { crash_at: 2, hold_at: None };
        assert!(matches!(trap.drive(step(trap.clone()), arms).await, Ended::Crashed("second", _)));
        let arms = Arms { crash_at: 0, hold_at: Some(Place::BeforeCall) };
        let Ended::Held(held) = trap.drive(step(trap.clone()), arms).await else {
            panic!("not held");
        };
        assert!(matches!(trap.go_on(held, Arms::default()).await, Ended::Done(7)));
    }
}
