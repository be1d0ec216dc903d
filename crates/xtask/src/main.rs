//! `cargo xtask tidy`, `docs [--check]`, `servers start | stop | run`, `e2e`, `mutants`, `walks`,
//! `alerts`, `ship`.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool speaks")]

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand, ValueEnum};
use oms_servers::Wish;
use xtask::{Tree, alerts, docs, e2e, mutants, servers, ship, tidy, walks};

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
    /// Apache Kafka and PostgreSQL on this machine, without containers.
    #[command(subcommand)]
    Servers(ServersVerb),
    /// Plays the suites and stories that want real servers.
    E2e {
        /// Only these stories, and no suites; `oms-e2e --list` names them.
        stories: Vec<String>,
        /// Only the stories, at full length.
        #[arg(long)]
        full: bool,
        /// Builds no Jaeger, which takes minutes the first time; the story of traces is not played
        /// then, unless the environment names one.
        #[arg(long)]
        no_jaeger: bool,
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
    /// Lets promtool check deploy/prometheus and run the tests of the alerts.
    Alerts,
    /// Plays README, quickstart and client examples as printed, against a system of their own.
    Walks {
        /// Only these: readme, quickstart, api, clients.
        names: Vec<String>,
    },
    /// Checks what ships: image, compose file and chart.
    Ship {
        /// Make the chart's copies and the table of its values anew, and check nothing.
        #[arg(long, conflicts_with = "native")]
        write: bool,
        /// Run what the chart renders on this machine, with an Apache Kafka and a PostgreSQL of its
        /// own, and replace every service under load.
        #[arg(long)]
        native: bool,
        /// Play every scenario, and the chart with production values over TLS, with the binaries
        /// that `deploy/image/build.sh all FOLDER` made.
        #[arg(long, value_name = "FOLDER", conflicts_with_all = ["write", "native"])]
        image: Option<PathBuf>,
        /// Orders a second, while services are replaced.
        #[arg(long, default_value_t = 25)]
        rate: u32,
        /// Install, upgrade, roll back and uninstall the chart on the API server that this file
        /// names.
        #[arg(long, value_name = "KUBECONFIG", conflicts_with_all = ["write", "native", "image"])]
        cluster: Option<PathBuf>,
    },
}

#[derive(Subcommand)]
enum ServersVerb {
    /// Starts both, prints where they are, and leaves them running.
    Start {
        /// Start this, too; Go builds it the first time, which takes minutes.
        #[arg(long, value_enum)]
        with: Vec<With>,
    },
    /// Ends what `start` started and deletes its data.
    Stop,
    /// Runs a command with both, told by OMS_TEST_KAFKA and OMS_TEST_POSTGRES, and ends them.
    Run {
        /// Start this, too; Go builds it the first time, which takes minutes.
        #[arg(long, value_enum)]
        with: Vec<With>,
        /// The command and its arguments, after `--`.
        #[arg(required = true, last = true)]
        command: Vec<OsString>,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum With {
    /// Jaeger, which takes spans by OTLP and shows traces.
    Jaeger,
}

fn wishes(with: &[With]) -> Vec<Wish> {
    with.iter().map(|With::Jaeger| Wish::Jaeger).collect()
}

fn main() -> anyhow::Result<ExitCode> {
    let clean = match Args::parse().verb {
        Verb::Tidy => run_tidy()?,
        Verb::Docs { check } => run_docs(check)?,
        Verb::Servers(verb) => runtime()?.block_on(run_servers(verb))?,
        Verb::E2e { stories, full, no_jaeger } => {
            let say = |line| println!("{line}");
            runtime()?.block_on(e2e::run(&stories, full, !no_jaeger, say))?;
            true
        }
        Verb::Mutants { names, seeds } => run_mutants(&names, seeds)?,
        Verb::Alerts => {
            alerts::run()?;
            true
        }
        Verb::Walks { names } => {
            runtime()?.block_on(walks::run(walks::chosen(&names)?, |line| println!("{line}")))?;
            true
        }
        Verb::Ship { cluster: Some(kubeconfig), .. } => {
            let say = |line| println!("{line}");
            runtime()?.block_on(ship::cluster(&kubeconfig, say))?;
            true
        }
        Verb::Ship { native: true, rate, .. } => {
            runtime()?.block_on(ship::native(rate, |line| println!("{line}")))?;
            true
        }
        Verb::Ship { image: Some(binaries), rate, .. } => {
            let say = |line| println!("{line}");
            runtime()?.block_on(ship::image(&binaries, rate, say))?;
            true
        }
        Verb::Ship { write: true, .. } => {
            ship::write()?;
            true
        }
        Verb::Ship { .. } => {
            let report = runtime()?.block_on(ship::check())?;
            report.lines().iter().for_each(|line| println!("{line}"));
            report.is_clean()
        }
    };
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

async fn run_servers(verb: ServersVerb) -> anyhow::Result<bool> {
    match verb {
        ServersVerb::Start { with } => {
            servers::start(&wishes(&with)).await?.iter().for_each(|line| println!("{line}"));
        }
        ServersVerb::Stop => servers::stop()?,
        ServersVerb::Run { with, command } => {
            // The command's output is its own.
            return servers::run(command, &wishes(&with), |line| eprintln!("{line}")).await;
        }
    }
    Ok(true)
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
