//! `cargo xtask servers`: Apache Kafka and PostgreSQL, started natively, and a Jaeger on request.

use std::{ffi::OsString, path::PathBuf};

use anyhow::Context;
use oms_messaging::{KafkaSettings, kafka::topics};
use oms_servers::{Jaeger, JaegerAt, Named, Servers, Wish};
use tokio::process::Command;

use crate::{guard::Stop, tree};

const TOPICS: &str = include_str!("../../../deploy/kafka/topics.yaml");
/// The folder of servers that last as long as one command.
const RUN: &str = "run";

/// Starts both, and what is wished for besides, for as long as you like; `stop` ends them. Lines
/// for a shell to evaluate, which say where they are.
///
/// # Errors
/// When a program is missing, with the fix, or a server does not start.
pub async fn start(wishes: &[Wish]) -> anyhow::Result<Vec<String>> {
    let servers = Servers::start(&kept(), Named::default(), wishes)?;
    make_topics(&servers).await?;
    let environment = servers.environment().into_iter();
    let mut lines: Vec<_> =
        environment.map(|(name, value)| format!("export {name}='{value}'")).collect();
    let jaeger = servers.jaeger();
    lines.extend(jaeger.iter().flat_map(whereabouts).map(|line| format!("# {line}")));
    Ok(lines)
}

/// What somebody who wants to see a trace has to know.
fn whereabouts(jaeger: &JaegerAt) -> [String; 2] {
    let JaegerAt { otlp, page } = jaeger;
    [
        format!("Jaeger takes spans by OTLP at {otlp}: OMS_TRACES__ENDPOINT={otlp} make run"),
        format!("Jaeger's page is {page}, and a trace as JSON {page}/api/traces/TRACE-ID"),
    ]
}

/// Ends what `start` started and deletes its data.
///
/// # Errors
/// When a server does not end.
pub fn stop() -> anyhow::Result<()> {
    oms_servers::remove(&kept())
}

/// Starts what is not named in the environment, runs a command that is told where the servers are,
/// and ends them again. Where a Jaeger is goes to `say`. Whether the command succeeded.
///
/// # Errors
/// When a server does not start or end, or the command cannot be run.
pub async fn run(
    command: Vec<OsString>,
    wishes: &[Wish],
    say: impl Fn(String),
) -> anyhow::Result<bool> {
    let mut words = command.into_iter();
    let program = words.next().context("no command is given")?;
    with_servers(wishes, async |servers, stop| {
        servers.jaeger().iter().flat_map(whereabouts).for_each(&say);
        let mut command = Command::new(&program);
        command.args(words).envs(servers.environment());
        Ok(stop.run(&program.to_string_lossy(), command, None).await?.success())
    })
    .await
}

/// Builds Jaeger, unless the environment names one or it was built before.
pub(crate) fn can_have_jaeger() -> anyhow::Result<()> {
    if Named::in_environment().jaeger.is_none() {
        Jaeger::build(&scratch().join(RUN))?;
    }
    Ok(())
}

/// Starts the servers, does something with them, and ends them whatever came of it.
pub(crate) async fn with_servers<T>(
    wishes: &[Wish],
    work: impl AsyncFnOnce(&Servers, &mut Stop) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    with_servers_in(RUN, Named::in_environment(), wishes, work).await
}

/// The same with servers of its own, in a folder of its own, whatever the environment names.
pub(crate) async fn with_own_servers<T>(
    folder: &str,
    work: impl AsyncFnOnce(&Servers, &mut Stop) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    with_servers_in(folder, Named::default(), &[], work).await
}

async fn with_servers_in<T>(
    folder: &str,
    named: Named,
    wishes: &[Wish],
    work: impl AsyncFnOnce(&Servers, &mut Stop) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    // From here on Ctrl-C leads to the end of this function, not past it.
    let mut stop = Stop::listen()?;
    let servers = Servers::start(&scratch().join(folder), named, wishes)?;
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
