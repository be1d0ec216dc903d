//! `cargo xtask tidy` and `cargo xtask docs [--check]`.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a command line tool speaks on stdout")]

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xtask::{Tree, docs, tidy};

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
}

fn main() -> anyhow::Result<ExitCode> {
    let clean = match Args::parse().verb {
        Verb::Tidy => run_tidy()?,
        Verb::Docs { check } => run_docs(check)?,
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
