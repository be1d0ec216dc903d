//! One seed from beginning to end, and the smallest plan on which it still fails.

use std::time::Duration;

use crate::{
    plan::{FAULTS, Limits, Plan},
    stores::Stores,
    trail::{Counts, hash},
    world::World,
};

/// A simulation that takes longer hangs: nothing in it waits for real time.
const HANGS: Duration = Duration::from_secs(120);

/// What came of a seed.
#[derive(Clone, Debug)]
pub struct Report {
    /// The plan that was played.
    pub plan: Plan,
    /// Everything that happened.
    pub history: Vec<String>,
    /// What is broken; empty when all holds.
    pub broken: Vec<String>,
    /// How often what happened.
    pub counts: Counts,
    /// A number for the state in which it ended.
    pub end_state: u64,
}

impl Report {
    /// A number for the whole history: the same seed gives the same.
    #[must_use]
    pub fn hash(&self) -> u64 {
        hash(&self.history)
    }
}

/// Plays a seed.
///
/// # Errors
/// When a database fails, other than in a service.
pub(crate) async fn simulate(
    stores: &Stores,
    seed: u64,
    limits: &Limits,
) -> anyhow::Result<Report> {
    let mut world = World::begin(stores, Plan::draw(seed, limits)).await?;
    let whole = async {
        world.head_start().await?;
        world.play().await?;
        if world.broken.is_empty() {
            world.finish().await?;
        }
        world.count_amendments().await?;
        anyhow::Ok(hash(&world.end_state().await?))
    };
    let end_state = match tokio::time::timeout(HANGS, whole).await {
        Ok(end_state) => end_state?,
        Err(_) => {
            let seconds = HANGS.as_secs();
            world.broken.push(format!("I3 the world does not come to rest within {seconds} s"));
            0
        }
    };
    Ok(Report {
        history: world.trail.lines(),
        broken: world.trail.named(&world.broken),
        counts: world.trail.counts(),
        plan: world.plan,
        end_state,
    })
}

/// The smallest plan found on which this seed still fails, and its report: classes of faults off,
/// fewer orders, fewer steps.
///
/// # Errors
/// As [`simulate`].
pub(crate) async fn shrink(stores: &Stores, failed: Report) -> anyhow::Result<(Limits, Report)> {
    let seed = failed.plan.seed;
    let (mut limits, mut smallest) = (Limits::default(), failed);
    let exact = Limits { check_each_step: true, ..limits.clone() };
    attempt(stores, seed, exact, &mut limits, &mut smallest).await?;
    for fault in FAULTS {
        if smallest.plan.allows(fault) {
            let mut fewer = limits.clone();
            fewer.without.insert(fault);
            attempt(stores, seed, fewer, &mut limits, &mut smallest).await?;
        }
    }
    while smallest.plan.orders > 1 {
        let fewer = Limits { orders: Some(smallest.plan.orders - 1), ..limits.clone() };
        if !attempt(stores, seed, fewer, &mut limits, &mut smallest).await? {
            break;
        }
    }
    let mut cut = smallest.plan.steps / 2;
    while cut > 0 {
        let steps = smallest.plan.steps.saturating_sub(cut);
        let fewer = Limits { steps: Some(steps), ..limits.clone() };
        if !attempt(stores, seed, fewer, &mut limits, &mut smallest).await? {
            cut /= 2;
        }
        cut = cut.min(smallest.plan.steps);
    }
    Ok((limits, smallest))
}

async fn attempt(
    stores: &Stores,
    seed: u64,
    with: Limits,
    limits: &mut Limits,
    smallest: &mut Report,
) -> anyhow::Result<bool> {
    let report = simulate(stores, seed, &with).await?;
    let fails = !report.broken.is_empty();
    if fails {
        (*limits, *smallest) = (with, report);
    }
    Ok(fails)
}
