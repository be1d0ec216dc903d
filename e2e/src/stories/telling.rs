//! What a story tells afterwards, and the end that all have in common.

use std::time::{Duration, Instant};

use anyhow::Context;

use crate::{
    cluster::System,
    customers::{Load, Served},
};

/// How long everything that was begun may take to end on a healthy system (I3).
pub(super) const ENDS_WITHIN: Duration = Duration::from_secs(60);

/// What was done to the system, and what held all the same.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// What was done to it.
    pub injected: Vec<String>,
    /// What held.
    pub held: Vec<String>,
}

/// What came of a story.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It was played, and everything held.
    Held(Told),
    /// It could not be played here, and why.
    NotPlayed(String),
}

impl Told {
    /// Begins with what is done to the system.
    #[must_use]
    pub fn injected(what: impl Into<String>) -> Self {
        Self { injected: vec![what.into()], held: Vec::new() }
    }

    /// Adds what held.
    pub fn held(&mut self, what: impl Into<String>) {
        self.held.push(what.into());
    }

    /// The end of a story with customers: they end what they began, the system comes to rest
    /// within [`ENDS_WITHIN`] of `healthy`, each order ended as it should, and every invariant
    /// holds.
    pub(super) async fn end(
        mut self,
        system: System,
        load: Load,
        healthy: Instant,
    ) -> anyhow::Result<Verdict> {
        let served = load.end().await?;
        let left = ENDS_WITHIN.saturating_sub(healthy.elapsed());
        system.rest(left).await.context("60 s after the last fault")?;
        self.held(format!("all runs ended {:.0} s after", healthy.elapsed().as_secs_f64()));
        served.ended_well(&system.statuses().await?)?;
        self.count(&served);
        self.finish(system).await
    }

    /// Checks every invariant and ends the system.
    pub(super) async fn finish(mut self, system: System) -> anyhow::Result<Verdict> {
        let end = system.finish().await?;
        self.held(format!(
            "I1–I8 over {} orders, {} events, {} charges",
            end.orders, end.events, end.charges
        ));
        Ok(Verdict::Held(self))
    }

    fn count(&mut self, served: &Served) {
        self.held(format!(
            "{} acknowledged orders ended well; {} calls, {} repeated while the service was away, \
             {} as it had asked to, {} once although it was there",
            served.orders(),
            served.calls,
            served.excused,
            served.asked,
            served.retries
        ));
    }
}
