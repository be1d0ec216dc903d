//! Whether a service can be expected to answer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::Context;
use tokio::sync::watch;

/// What customers may know of an instance: whether it is there, and how often it went away. Cheap
/// to clone.
#[derive(Clone, Debug)]
pub struct Presence(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    there: watch::Sender<bool>,
    absences: AtomicU64,
}

/// A moment in the life of an instance.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    there: bool,
    absences: u64,
}

impl Default for Presence {
    fn default() -> Self {
        Self(Arc::new(Shared { there: watch::Sender::new(false), absences: AtomicU64::new(0) }))
    }
}

impl Presence {
    /// It is about to go, or what it needs is.
    pub fn goes(&self) {
        self.0.absences.fetch_add(1, Ordering::SeqCst);
        self.0.there.send_replace(false);
    }

    /// It is there, ready.
    pub fn comes(&self) {
        self.0.there.send_replace(true);
    }

    /// Whether it is there.
    #[must_use]
    pub fn is_there(&self) -> bool {
        *self.0.there.borrow()
    }

    /// Now, to be compared with later.
    #[must_use]
    pub fn now(&self) -> Moment {
        Moment { there: self.is_there(), absences: self.0.absences.load(Ordering::SeqCst) }
    }

    /// Whether it was there all the time since `then`.
    #[must_use]
    pub fn was_there_since(&self, then: Moment) -> bool {
        let now = self.now();
        then.there && now.there && then.absences == now.absences
    }

    /// Waits until it is there.
    ///
    /// # Errors
    /// When it does not come in time.
    pub async fn back(&self, within: Duration) -> anyhow::Result<()> {
        let mut there = self.0.there.subscribe();
        let came = tokio::time::timeout(within, there.wait_for(|there| *there)).await;
        came.with_context(|| format!("a service is not back within {within:?}"))??;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absence_in_between_is_noticed() {
        let presence = Presence::default();
        let before = presence.now();
        presence.comes();
        assert!(!presence.was_there_since(before));
        let then = presence.now();
        assert!(presence.was_there_since(then));
        presence.goes();
        presence.comes();
        assert!(!presence.was_there_since(then));
    }
}
