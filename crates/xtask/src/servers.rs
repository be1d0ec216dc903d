//! `cargo xtask servers`: Apache Kafka and PostgreSQL, started natively.

use std::{ffi::OsString, path::PathBuf};

use anyhow::Context;
use oms_messaging::{KafkaSettings, kafka::topics};
use oms_servers::{Named, Servers};
use tokio::process::Command;

use crate::{guard::Stop, tree};

const TOPICS: &str = include_str!("../../../deploy/kafka/topics.yaml");

/// Starts both for as long as you like; `stop` ends them.
///
/// # Errors
/// When a program is missing, with the fix, or a server does not start.
pub async fn start() -> anyhow::Result<Vec<(&'static str, String)>> {
    let servers = Servers::start(&kept(), Named::default())?;
    make_topics(&servers).await?;
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
    with_servers_in("run", Named::in_environment(), work).await
}

/// The same with servers of its own, in a folder of its own, whatever the environment names.
pub(crate) async fn with_own_servers<T>(
    folder: &str,
    work: impl AsyncFnOnce(&Servers, &mut Stop) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    with_servers_in(folder, Named::default(), work).await
}

async fn with_servers_in<T>(
    folder: &str,
    named: Named,
    work: impl AsyncFnOnce(&Servers, &mut Stop) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    // From here on Ctrl-C leads to the end of this function, not past it.
    let mut stop = Stop::listen()?;
    let servers = Servers::start(&scratch().join(folder), named)?;
    let done = work(&servers, &mut stop).await;
    let stopped = servers.stop();
    let done = done?;
    stopped?;
    Ok(done)
}

/// Makes the topics on a broker of ours.
pub(crate) async fn make_topics(servers: &Servers) -> anyhow::Result<()> {
    let bootstrap = servers.kafka_address();
    let settings = KafkaSettings { bootstrap, ..KafkaSettings::default() };
    topics::ensure(&settings, topics::parse(TOPICS)?).await?;
    Ok(())
}

fn kept() -> PathBuf {
    scratch().join("kept")
}

fn scratch() -> PathBuf {
    let root = tree::root();
    root.canonicalize().unwrap_or(root).join("target/servers")
}
