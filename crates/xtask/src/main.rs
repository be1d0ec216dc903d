//! `cargo xtask tidy`, `cargo xtask docs [--check]` and `cargo xtask mutants [name]…`.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a command line tool speaks on stdout")]

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xtask::{Tree, docs, mutants, tidy};

/// Tools of the OMS repository.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Checks the rules of docs/architecture.md that no compiler checks.
    Tidy,
    /// Writes docs/events.md and docs/states.md from the code.
    Docs {
        /// Only say whether they are current.
        #[arg(long)]
        check: bool,
    },
    /// Plants each mistake of crates/sim/mutants in a scratch copy and lets the simulator find it;
    /// then writes the table of docs/simulator.md.
    Mutants {
        /// Only these; the table is not written then.
        names: Vec<String>,
        /// Seeds to play at most for each.
        #[arg(long, default_value_t = 2_000)]
        seeds: u64,
    },
}

fn main() -> anyhow::Result<ExitCode> {
    let clean = match Args::parse().verb {
        Verb::Tidy => run_tidy()?,
        Verb::Docs { check } => run_docs(check)?,
        Verb::Mutants { names, seeds } => run_mutants(&names, seeds)?,
    };
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run_tidy() -> anyhow::Result<bool> {
    let tree = Tree::of_this_repository()?;
    let findings = tidy::check(&tree);
    for finding in &findings {
        println!("{finding}");
    }
    println!("tidy: {} files, {} findings", tree.files().len(), findings.len());
    Ok(findings.is_empty())
}

fn run_docs(check: bool) -> anyhow::Result<bool> {
    let mut clean = true;
    for page in docs::pages() {
        if page.is_current()? {
            println!("docs: {} is current", page.path);
        } else if check {
            clean = false;
            println!("docs: {} is not current; run `make docs`", page.path);
        } else {
            page.write()?;
            println!("docs: {} written", page.path);
        }
    }
    Ok(clean)
}

fn run_mutants(names: &[String], seeds: u64) -> anyhow::Result<bool> {
    let scratch = mutants::Scratch::new()?;
    let (mut found, mut survivors) = (Vec::new(), 0);
    for mutant in mutants::mutants()? {
        if !names.is_empty() && !names.contains(&mutant.name) {
            continue;
        }
        match scratch.hunt(&mutant, seeds)? {
            Some(seen) => {
                println!("{}: seed {}: {}", mutant.name, seen.seed, seen.broken);
                found.push((mutant, seen));
            }
            None => {
                println!("{}: SURVIVES {seeds} seeds", mutant.name);
                survivors += 1;
            }
        }
    }
    println!("mutants: {} found, {survivors} survive", found.len());
    if names.is_empty() {
        mutants::write(&found)?;
        println!("mutants: {} written", mutants::PAGE);
    }
    Ok(survivors == 0)
}
