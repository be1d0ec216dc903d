//! Many seeds on several threads. Each simulation runs on one thread alone.

use std::{
    collections::HashSet,
    ops::Range,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use anyhow::anyhow;

use crate::{
    plan::Limits,
    run::{Report, shrink, simulate},
    stores::Stores,
    trail::Counts,
};

/// What came of many seeds.
#[derive(Debug, Default)]
pub struct Summary {
    /// Seeds that were played.
    pub seeds: u64,
    /// What happened in them.
    pub counts: Counts,
    /// States in which they ended.
    pub end_states: HashSet<u64>,
    /// The failing seed with the lowest number.
    pub failed: Option<Box<Report>>,
}

/// Plays these seeds on `jobs` threads; stops at the first that fails. `told` hears of progress.
///
/// # Errors
/// When a simulation could not be played at all.
pub fn play(
    seeds: Range<u64>,
    jobs: usize,
    told: impl Fn(&Summary) + Sync,
) -> anyhow::Result<Summary> {
    let (next, stop) = (AtomicU64::new(seeds.start), AtomicBool::new(false));
    let summary = Mutex::new(Summary::default());
    let worker = || {
        on_one_thread(async {
            let stores = Stores::open().await?;
            while !stop.load(Ordering::SeqCst) {
                let seed = next.fetch_add(1, Ordering::SeqCst);
                if seed >= seeds.end {
                    break;
                }
                let report = simulate(&stores, seed, &Limits::default()).await?;
                let mut summary = summary.lock().unwrap_or_else(PoisonError::into_inner);
                summary.add(report, &stop);
                told(&summary);
            }
            Ok(())
        })
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..jobs.max(1)).map(|_| scope.spawn(worker)).collect();
        let ended = threads.into_iter().map(|thread| {
            let ended = thread.join().map_err(|_| anyhow!("a simulation panicked"));
            ended.flatten().inspect_err(|_| stop.store(true, Ordering::SeqCst))
        });
        ended.collect::<Vec<_>>().into_iter().collect::<anyhow::Result<()>>()
    })?;
    Ok(summary.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Plays one seed.
///
/// # Errors
/// When it could not be played at all.
pub fn play_one(seed: u64, limits: &Limits) -> anyhow::Result<Report> {
    on_one_thread(async { simulate(&Stores::open().await?, seed, limits).await })
}

/// The smallest plan found on which a seed still fails, and what came of it.
///
/// # Errors
/// When it could not be played at all.
pub fn smallest(failed: Report) -> anyhow::Result<(Limits, Report)> {
    on_one_thread(async { shrink(&Stores::open().await?, failed).await })
}

fn on_one_thread<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(work)
}

impl Summary {
    fn add(&mut self, report: Report, stop: &AtomicBool) {
        self.seeds += 1;
        self.counts.add(&report.counts);
        self.end_states.insert(report.end_state);
        if report.broken.is_empty() {
            return;
        }
        stop.store(true, Ordering::SeqCst);
        let seed = report.plan.seed;
        if self.failed.as_ref().is_none_or(|failed| seed < failed.plan.seed) {
            self.failed = Some(Box::new(report));
        }
    }
}
