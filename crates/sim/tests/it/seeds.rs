//! Many seeds, and one seed many times.

use std::collections::BTreeSet;

use oms_sim::{FAULTS, Limits, Plan, play, play_one};

/// What continuous integration plays.
const SEEDS: u64 = 500;
/// Threads; each simulation runs on one of them.
const JOBS: usize = 2;

#[test]
fn five_hundred_seeds_break_no_invariant() {
    let summary = play(1..SEEDS + 1, JOBS, |_| {}).unwrap();
    if let Some(failed) = &summary.failed {
        let history = failed.history.join("\n");
        let broken = failed.broken.join("\n");
        panic!("seed {} breaks\n{broken}\nafter\n{history}", failed.plan.seed);
    }
    assert_eq!(summary.seeds, SEEDS);
    // A simulator in which nothing happens finds nothing either.
    let counts = summary.counts;
    for (what, count, at_least) in [
        ("events", counts.events, 3_000),
        ("duplicates", counts.duplicates, 500),
        ("crashes", counts.crashes, 300),
        ("groups put back", counts.redeliveries, 200),
        ("lost tails", counts.lost_tails, 100),
        ("lost logs", counts.lost_logs, 30),
        ("failures", counts.failures, 300),
        ("held steps", counts.held, 80),
        ("parked events", counts.parked, 200),
        ("redriven events", counts.redriven, 50),
        ("discarded events", counts.discarded, 30),
        ("amendments accepted", counts.amended, 150),
        ("amendments refused", counts.amendments_refused, 60),
        ("amendments cancelled", counts.amendments_canceled, 10),
        ("end states", summary.end_states.len() as u64, 100),
    ] {
        assert!(count >= at_least, "only {count} {what}, of {at_least} at least");
    }
}

#[test]
fn the_same_seed_makes_the_same_history() {
    for seed in [3, 17, 99, 256, 1_234] {
        let [once, twice] = [0, 1].map(|_| play_one(seed, &Limits::default()).unwrap());
        assert_eq!(once.history, twice.history, "seed {seed}");
        assert_eq!((once.hash(), once.end_state), (twice.hash(), twice.end_state));
    }
    let [one, other] = [3, 17].map(|seed| play_one(seed, &Limits::default()).unwrap());
    assert_ne!(one.hash(), other.hash());
}

#[test]
fn a_history_does_not_depend_on_what_was_played_before_it() {
    let alone = play_one(9, &Limits::default()).unwrap();
    let among = play(5..10, 1, |_| {}).unwrap();
    assert!(among.failed.is_none());
    assert!(among.end_states.contains(&alone.end_state));
}

#[test]
fn every_class_of_faults_comes_and_stays_away() {
    let (mut on, mut off) = (BTreeSet::new(), BTreeSet::new());
    for seed in 0..100 {
        let plan = Plan::draw(seed, &Limits::default());
        for fault in FAULTS {
            if plan.allows(fault) {
                on.insert(fault)
            } else {
                off.insert(fault)
            };
        }
    }
    assert_eq!(on, BTreeSet::from(FAULTS));
    assert_eq!(off, BTreeSet::from(FAULTS));
}

#[test]
fn without_faults_a_world_comes_to_rest_too() {
    let without = BTreeSet::from(FAULTS);
    for seed in 0..5 {
        let limits = Limits { without: without.clone(), ..Limits::default() };
        let report = play_one(seed, &limits).unwrap();
        assert_eq!(report.broken, Vec::<String>::new(), "seed {seed}");
        assert_eq!(report.counts.crashes, 0);
    }
}
