//! `cargo xtask e2e`: the suites and the stories on real servers.

use std::{ffi::OsString, time::Duration};

use anyhow::ensure;
use oms_servers::Wish;
use tokio::process::Command;

use crate::servers::{can_have_jaeger, with_servers};

/// The story that wants a Jaeger.
const TRACES: &str = "traces";

/// One thing to run, and how long it may take.
struct Step {
    what: &'static str,
    command: Command,
    within: Duration,
}

/// Runs everything that wants real servers, in turn; the first failure ends it. With `full` the
/// stories are played at full length; with `jaeger` one is built where that can be. What cannot be
/// played here goes to `say`.
///
/// # Errors
/// What failed.
pub async fn run(
    stories: &[String],
    full: bool,
    jaeger: bool,
    say: impl Fn(String),
) -> anyhow::Result<()> {
    let steps = if stories.is_empty() && !full {
        vec![logs_and_stores(), databases(), play(stories, full)?]
    } else {
        vec![play(stories, full)?]
    };
    let mut wishes = Vec::new();
    if jaeger && (stories.is_empty() || stories.iter().any(|story| story == TRACES)) {
        match can_have_jaeger() {
            Ok(()) => wishes.push(Wish::Jaeger),
            Err(why) => say(format!("no Jaeger, and no story of traces: {why:#}")),
        }
    }
    with_servers(&wishes, async |servers, stop| {
        for Step { what, mut command, within } in steps {
            command.envs(servers.environment());
            let status = stop.run(what, command, Some(within)).await?;
            ensure!(status.success(), "{what}: {status}");
        }
        Ok(())
    })
    .await
}

/// The broker contract on Apache Kafka; messaging, stores and reactions on PostgreSQL.
fn logs_and_stores() -> Step {
    let command = cargo(&["test", "--workspace", "--test", "main"]);
    Step { what: "suites on Kafka and PostgreSQL", command, within: Duration::from_secs(900) }
}

/// What the host of a service does with its database.
fn databases() -> Step {
    let words = ["test", "--workspace", "--test", "it", "--", "database::", "idempotency::"];
    Step {
        what: "database suites on PostgreSQL",
        command: cargo(&words),
        within: Duration::from_secs(600),
    }
}

/// The stories are a program of this workspace's build, beside this one.
fn play(stories: &[String], full: bool) -> anyhow::Result<Step> {
    let binary = std::env::current_exe()?.with_file_name("oms-e2e");
    ensure!(binary.exists(), "oms-e2e is missing: run `make build`");
    let mut command = Command::new(binary);
    command.args(stories);
    if full {
        command.arg("--full");
    }
    let within = Duration::from_secs(if full { 3_600 } else { 1_200 });
    Ok(Step { what: "stories", command, within })
}

#[allow(clippy::disallowed_methods, reason = "Cargo names itself to what it runs")]
fn cargo(words: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or(OsString::from("cargo")));
    command.args(words);
    command
}
