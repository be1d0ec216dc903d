//! `oms-e2e`: plays the stories on the servers that are named, and says what held.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a command line tool speaks on stdout")]

use std::{fs, process::ExitCode, time::Instant};

use anyhow::{Context, ensure};
use clap::Parser;
use oms_e2e::{
    Lengths,
    cluster::World,
    stories::{STORIES, Story, Told, Verdict},
};
use oms_seams::{Ids, SystemIds};
use oms_servers::{Named, Servers};

/// Plays stories of the services as separate processes.
#[derive(Parser)]
struct Arguments {
    /// Which stories; all when none is named.
    stories: Vec<String>,
    /// At full length: a broker away for a minute, a storm of five.
    #[arg(long)]
    full: bool,
    /// Says which stories there are.
    #[arg(long)]
    list: bool,
}

/// What came of a story.
struct Played {
    name: &'static str,
    outcome: anyhow::Result<Verdict>,
    seconds: f64,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    if arguments.list {
        for story in STORIES {
            println!("{:20} {}", story.name, story.about);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let chosen = chosen(&arguments.stories)?;
    let world = world(arguments.full)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let played: Vec<Played> =
        chosen.into_iter().map(|story| play(&runtime, story, &world)).collect();
    Ok(summary(&played))
}

fn chosen(names: &[String]) -> anyhow::Result<Vec<&'static Story>> {
    for name in names {
        let known = STORIES.iter().any(|story| story.name == name);
        ensure!(known, "there is no story {name}; --list names them");
    }
    let wanted = |story: &&Story| names.is_empty() || names.iter().any(|name| name == story.name);
    Ok(STORIES.iter().filter(wanted).collect())
}

fn world(full: bool) -> anyhow::Result<World> {
    let servers = Servers::of(Named::in_environment())?;
    let program = std::env::current_exe()?;
    let binaries = program.parent().context("this program is in no folder")?.to_owned();
    let logs = binaries.with_file_name("e2e-logs");
    match fs::remove_dir_all(&logs) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => fs::create_dir_all(&logs)?,
    }
    let lengths = if full { Lengths::FULL } else { Lengths::SHORT };
    // The end of an id is random, its beginning the time.
    let run = SystemIds.next().simple().to_string().split_off(26);
    Ok(World { servers, binaries, logs, run, lengths })
}

fn play(runtime: &tokio::runtime::Runtime, story: &'static Story, world: &World) -> Played {
    println!("{}: {} …", story.name, story.about);
    let begun = Instant::now();
    let outcome = runtime.block_on((story.play)(world));
    let seconds = begun.elapsed().as_secs_f64();
    match &outcome {
        Ok(Verdict::Held(_)) => println!("{}: held, {seconds:.0} s", story.name),
        Ok(Verdict::NotPlayed(why)) => println!("{}: not played: {why}", story.name),
        Err(error) => {
            let logs = world.logs.join(story.name);
            println!("{}: FAILED: {error:#}\n  the services' logs: {}", story.name, logs.display());
        }
    }
    Played { name: story.name, outcome, seconds }
}

/// What was done to the system and what held, story by story.
fn summary(played: &[Played]) -> ExitCode {
    println!("\nWhat was done to the system, and what held:\n");
    let (mut held, mut failed, mut skipped) = (0, 0, 0);
    for Played { name, outcome, seconds } in played {
        match outcome {
            Ok(Verdict::Held(told)) => {
                held += 1;
                println!("{name} ({seconds:.0} s)");
                lines(told);
            }
            Ok(Verdict::NotPlayed(why)) => {
                skipped += 1;
                println!("{name}: not played: {why}");
            }
            Err(error) => {
                failed += 1;
                println!("{name}: FAILED: {error:#}");
            }
        }
    }
    println!("\nstories: {held} passed, {failed} failed, {skipped} skipped");
    if failed == 0 && held > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn lines(told: &Told) {
    for what in &told.injected {
        println!("  injected  {what}");
    }
    for what in &told.held {
        println!("  held      {what}");
    }
}
