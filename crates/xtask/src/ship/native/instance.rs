//! One instance of a service, from its start to its end.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};

const WELL_WITHIN: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// What `healthcheck` ends with when the service says that it is not well.
const UNWELL: i32 = 1;
/// Part of what is told when nobody listens.
const NOBODY: &str = "refused";

/// An instance that runs.
pub(super) struct Instance {
    program: PathBuf,
    environment: Vec<(String, String)>,
    log: PathBuf,
    child: Child,
    grpc: u16,
    grace: Duration,
}

impl Instance {
    /// Starts it; its output goes to `log`.
    pub(super) fn launch(
        program: &Path,
        arguments: &[String],
        environment: Vec<(String, String)>,
        log: &Path,
        grpc: u16,
        grace_s: u64,
    ) -> anyhow::Result<Self> {
        let output = File::create(log)?;
        let child = Command::new(program)
            .args(arguments)
            .envs(environment.clone())
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .kill_on_drop(true)
            .spawn()?;
        let (program, log) = (program.to_owned(), log.to_owned());
        Ok(Self { program, environment, log, child, grpc, grace: Duration::from_secs(grace_s) })
    }

    /// The binary's name.
    pub(super) fn name(&self) -> String {
        self.program.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The port of its gRPC.
    pub(super) fn grpc(&self) -> u16 {
        self.grpc
    }

    /// Waits until its admin port answers, whatever it says.
    pub(super) async fn wait_for_admin(&mut self) -> anyhow::Result<()> {
        self.wait("has no admin port", |_, said| !said.contains(NOBODY)).await
    }

    /// Waits until it answers calls.
    pub(super) async fn wait_until_well(&mut self) -> anyhow::Result<()> {
        self.wait("is not well", |status, _| status.success()).await
    }

    /// Whether it answers calls now.
    pub(super) async fn is_well(&self) -> anyhow::Result<bool> {
        Ok(self.asked().await?.0.success())
    }

    /// Tells it to end: it must, well, in the time that its pod has.
    pub(super) async fn end(&mut self) -> anyhow::Result<()> {
        let id = self.child.id().with_context(|| format!("{} has ended", self.name()))?;
        let told = Command::new("kill").args(["-TERM", &id.to_string()]).status().await?;
        ensure!(told.success(), "{} cannot be told to end", self.name());
        let ended = timeout(self.grace, self.child.wait()).await;
        let ended = ended.with_context(|| format!("{} was killed", self.name()))??;
        ensure!(ended.success(), "{} ended with {ended}:\n{}", self.name(), self.last_words());
        Ok(())
    }

    async fn wait(
        &mut self,
        not_yet: &str,
        done: impl Fn(ExitStatus, &str) -> bool,
    ) -> anyhow::Result<()> {
        let until = Instant::now() + WELL_WITHIN;
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended with {status}:\n{}", self.name(), self.last_words());
            }
            let (status, said) = self.asked().await?;
            if done(status, &said) {
                return Ok(());
            }
            if Instant::now() > until {
                bail!("{} {not_yet}: {said}\n{}", self.name(), self.last_words());
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// What its own health check says.
    async fn asked(&self) -> anyhow::Result<(ExitStatus, String)> {
        let mut command = Command::new(&self.program);
        command.arg("healthcheck").envs(self.environment.clone()).kill_on_drop(true);
        let answer = timeout(WELL_WITHIN, command.output()).await??;
        let said = String::from_utf8_lossy(&answer.stderr).into_owned();
        let known = answer.status.success() || answer.status.code() == Some(UNWELL);
        ensure!(known, "{} healthcheck: {}: {said}", self.name(), answer.status);
        Ok((answer.status, said))
    }

    fn last_words(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}
