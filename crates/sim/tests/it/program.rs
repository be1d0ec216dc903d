//! The binary from the outside.

use std::process::{Command, Output};

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_oms-sim")).args(args).output().unwrap()
}

#[test]
fn a_clean_run_ends_with_a_summary_and_zero() {
    let output = run(&["--seeds", "3", "--from", "40", "--jobs", "2"]);
    assert_eq!(output.status.code(), Some(0));
    let said = String::from_utf8(output.stdout).unwrap();
    for what in ["3  seeds", "events published", "crashes", "lost tails", "distinct end states"] {
        assert!(said.contains(what), "{said}");
    }
}

#[test]
fn one_seed_tells_its_whole_history() {
    let output = run(&["--seed", "7"]);
    assert_eq!(output.status.code(), Some(0));
    let said = String::from_utf8(output.stdout).unwrap();
    for what in ["customer 1 calls Create", "all faults end", "at rest", "all invariants hold"] {
        assert!(said.contains(what), "{said}");
    }
}

#[test]
fn a_wrong_call_ends_with_two() {
    assert_eq!(run(&["--seeds", "many"]).status.code(), Some(2));
    assert_eq!(run(&["--seed", "1", "--from", "2"]).status.code(), Some(2));
}
