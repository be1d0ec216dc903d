//! `oms-sim`: plays seeds and tells of the first that breaks an invariant.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool speaks")]

use std::{
    io::{IsTerminal, stderr},
    process::ExitCode,
    thread,
};

use clap::Parser;
use oms_sim::{Fault, Limits, Report, Summary, play, play_one, smallest};

/// Simulates the saga: random interleavings, crashes and losses, and the invariants after each.
/// Exits with 0 when all held, 1 when something is broken, 2 when it was called wrongly.
#[derive(Parser)]
#[command(name = "oms-sim")]
struct Args {
    /// How many seeds to play
    #[arg(long, default_value_t = 500)]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Plays this seed alone and tells everything that happens
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// With --seed: steps of chaos at most
    #[arg(long, requires = "seed")]
    steps: Option<u64>,
    /// With --seed: orders at most
    #[arg(long, requires = "seed")]
    orders: Option<usize>,
    /// With --seed: classes of faults that do not happen, separated by commas
    #[arg(long, requires = "seed", value_delimiter = ',')]
    without: Vec<Fault>,
    /// Does not look for the smallest plan on which a seed still fails
    #[arg(long)]
    quick: bool,
    /// Threads; each simulation runs on one of them
    #[arg(long)]
    jobs: Option<usize>,
}

fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    if let Some(seed) = args.seed {
        let limits = Limits {
            steps: args.steps,
            orders: args.orders,
            without: args.without.into_iter().collect(),
            check_each_step: true,
        };
        let report = play_one(seed, &limits)?;
        tell(&report);
        return Ok(verdict(report.broken.is_empty()));
    }
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let end = args.from.saturating_add(args.seeds);
    let shows = stderr().is_terminal();
    let summary = play(args.from..end, args.jobs.unwrap_or(cores), |summary| {
        if shows {
            eprint!("\r{} of {} seeds", summary.seeds, args.seeds);
        }
    })?;
    if shows {
        eprintln!();
    }
    tell_summary(&summary);
    let Some(first) = &summary.failed else { return Ok(verdict(true)) };
    println!("\nseed {} breaks:", first.plan.seed);
    first.broken.iter().for_each(|line| println!("  {line}"));
    if !args.quick {
        let (limits, smallest) = smallest((**first).clone())?;
        println!("\nthe smallest plan on which it still fails:");
        tell(&smallest);
        println!("\nto see that again: oms-sim --seed {}{}", first.plan.seed, limits.flags());
    }
    println!("to see it whole: oms-sim --seed {}", first.plan.seed);
    Ok(verdict(false))
}

fn verdict(clean: bool) -> ExitCode {
    if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn tell(report: &Report) {
    println!("{:?}", report.plan);
    report.history.iter().for_each(|line| println!("{line}"));
    println!("history {:016x}", report.hash());
    match report.broken.as_slice() {
        [] => println!("all invariants hold"),
        broken => broken.iter().for_each(|line| println!("BROKEN {line}")),
    }
}

fn tell_summary(summary: &Summary) {
    let counts = &summary.counts;
    for (what, count) in [
        ("seeds", summary.seeds),
        ("steps", counts.steps),
        ("events published", counts.events),
        ("events delivered", counts.delivered),
        ("duplicates", counts.duplicates),
        ("groups put back", counts.redeliveries),
        ("crashes", counts.crashes),
        ("steps held while others went on", counts.held),
        ("failed publications and calls", counts.failures),
        ("lost tails", counts.lost_tails),
        ("lost logs", counts.lost_logs),
        ("events parked", counts.parked),
        ("events redriven", counts.redriven),
        ("events discarded", counts.discarded),
        ("amendments accepted", counts.amended),
        ("amendments refused", counts.amendments_refused),
        ("amendments that a cancellation ended", counts.amendments_canceled),
        ("distinct end states", summary.end_states.len() as u64),
    ] {
        println!("{count:>12}  {what}");
    }
}
