//! `cargo xtask servers`: Apache Kafka and PostgreSQL, started natively.

use std::{ffi::OsString, path::PathBuf};

use anyhow::Context;
use oms_servers::{Named, Servers, topics};
use tokio::process::Command;

use crate::{guard::Stop, tree};

/// Starts both for as long as you like; `stop` ends them.
///
/// # Errors
/// When a program is missing, with the fix, or a server does not start.
pub async fn start() -> anyhow::Result<Vec<(&'static str, String)>> {
    let servers = Servers::start(&kept(), Named::default())?;
    topics::create(&servers.kafka_address(), "").await?;
    Ok(servers.environment())
}

/// Ends what `start` started and deletes its data.
///
/// # Errors
/// When a server does not end.
pub fn stop() -> anyhow::Result<()> {
    oms_servers::remove(&kept())
}

/// Starts what is not named in the environment, runs a command that is told where the servers are,
/// and ends them again. Whether the command succeeded.
///
/// # Errors
/// When a server does not start or end, or the command cannot be run.
pub async fn run(command: Vec<OsString>) -> anyhow::Result<bool> {
    let mut words = command.into_iter();
    let program = words.next().context("no command is given")?;
    with_servers(async |servers, stop| {
        let mut command = Command::new(&program);
        command.args(words).envs(servers.environment());
        Ok(stop.run(&program.to_string_lossy(), command, None).await?.success())
    })
    .await
}

/// Starts the servers, does something with them, and ends them whatever came of it.
pub(crate) async fn with_servers<T>(
    work: impl AsyncFnOnce(&Servers, &mut Stop) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    // From here on Ctrl-C leads to the end of this function, not past it.
    let mut stop = Stop::listen()?;
    let servers = Servers::start(&scratch().join("run"), Named::in_environment())?;
    let done = work(&servers, &mut stop).await;
    let stopped = servers.stop();
    let done = done?;
    stopped?;
    Ok(done)
}

fn kept() -> PathBuf {
    scratch().join("kept")
}

fn scratch() -> PathBuf {
    let root = tree::root();
    root.canonicalize().unwrap_or(root).join("target/servers")
}
