//! One process of one service.

use std::{
    fs::OpenOptions,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use oms_events::Service;
use tokio::{
    process::{Child, Command},
    time::Instant,
};

use super::Presence;
use crate::Ports;

const READY_WITHIN: Duration = Duration::from_secs(90);
const LOOK_EVERY: Duration = Duration::from_millis(20);
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
const DRAINED_WITHIN: Duration = Duration::from_secs(20);

/// The exit codes of a service that did not find what it needs at its start: it was not there, or
/// went away meanwhile. 2 would be a setting to change.
const GIVES_UP: [i32; 2] = [4, 5];
/// How often such a service is started again, as whatever runs services would.
const REVIVALS_MAX: u32 = 3;

/// An instance of a service: killed, drained and started again at the same ports.
#[derive(Debug)]
pub struct Instance {
    /// Which service.
    pub service: Service,
    /// Its gRPC port.
    pub grpc: u16,
    /// What customers know of it.
    pub presence: Presence,
    pub(super) admin: u16,
    pub(super) binary: PathBuf,
    pub(super) environment: Vec<(String, String)>,
    pub(super) log: PathBuf,
    pub(super) process: Option<Child>,
    pub(super) revivals: u32,
    pub(super) was_ready: bool,
}

impl Instance {
    /// Starts it, without waiting for it.
    ///
    /// # Errors
    /// When its binary cannot be run.
    pub fn launch(&mut self) -> anyhow::Result<()> {
        ensure!(self.process.is_none(), "{} runs already", self.service.name());
        let log = OpenOptions::new().create(true).append(true).open(&self.log)?;
        let child = Command::new(&self.binary)
            .arg("serve")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot run {}", self.binary.display()))?;
        self.process = Some(child);
        self.was_ready = false;
        Ok(())
    }

    /// Waits until it is ready: its database, broker, relay and consumer are.
    ///
    /// # Errors
    /// When it ends or is not ready in time.
    pub async fn ready(&mut self) -> anyhow::Result<()> {
        let until = Instant::now() + READY_WITHIN;
        while !self.is_ready().await? {
            let log = self.log.display();
            ensure!(Instant::now() < until, "not ready within {READY_WITHIN:?}; see {log}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Whether it is ready now; customers are told when it is.
    ///
    /// # Errors
    /// When it has ended by itself.
    pub async fn is_ready(&mut self) -> anyhow::Result<bool> {
        let name = self.service.name();
        let process = self.process.as_mut().with_context(|| format!("{name} was not started"))?;
        if let Some(status) = process.try_wait()? {
            let ended = format!("{name} ended by itself with {status}");
            let starting =
                !self.was_ready && status.code().is_some_and(|code| GIVES_UP.contains(&code));
            let again = starting && self.revivals < REVIVALS_MAX;
            ensure!(again, "{ended}; see {}", self.log.display());
            self.revivals += 1;
            self.process = None;
            self.launch()?;
            return Ok(false);
        }
        let asked = crate::get(Ports::at(self.admin), "/readyz");
        let ready = matches!(tokio::time::timeout(ANSWER_WITHIN, asked).await, Ok(Ok((200, _))));
        self.was_ready |= ready;
        if ready && !self.presence.is_there() {
            self.presence.comes();
        }
        Ok(ready)
    }

    /// A figure of its metrics page, all labels together; 0 when it is not there.
    ///
    /// # Errors
    /// When the page cannot be read.
    pub async fn metric(&self, family: &str) -> anyhow::Result<f64> {
        let (_, page) = crate::get(Ports::at(self.admin), "/metrics").await?;
        let lines = page.lines().filter_map(|line| line.strip_prefix(family));
        let figures = lines.filter(|rest| rest.starts_with([' ', '{']));
        Ok(figures.filter_map(|rest| rest.rsplit(' ').next()?.parse::<f64>().ok()).sum())
    }

    /// Where operators reach it, `host:port`.
    #[must_use]
    pub fn admin_address(&self) -> String {
        Ports::at(self.admin).to_string()
    }

    /// Starts it and waits until it is ready.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(&mut self) -> anyhow::Result<()> {
        self.launch()?;
        self.ready().await
    }

    /// `kill -9`.
    ///
    /// # Errors
    /// When it had ended by itself: that is a failure of its own.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.presence.goes();
        let mut process = self.process.take().context("it was not started")?;
        if let Some(status) = process.try_wait()? {
            bail!(
                "{} ended by itself with {status}; see {}",
                self.binary.display(),
                self.log.display()
            );
        }
        Ok(process.kill().await?)
    }

    /// SIGTERM, and waits for the end.
    ///
    /// # Errors
    /// When it does not end in time.
    pub async fn drain(&mut self) -> anyhow::Result<ExitStatus> {
        self.presence.goes();
        let mut process = self.process.take().context("it was not started")?;
        let pid = process.id().context("it has ended")?;
        let sent = Command::new("kill").args(["-TERM", &pid.to_string()]).status().await?;
        ensure!(sent.success(), "kill -TERM {pid}");
        let ended = tokio::time::timeout(DRAINED_WITHIN, process.wait()).await;
        Ok(ended.with_context(|| format!("{} does not drain", self.service.name()))??)
    }

    /// Whether it was started and neither killed nor drained.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.process.is_some()
    }

    /// Resident memory in bytes.
    ///
    /// # Errors
    /// When it does not run.
    pub fn memory(&self) -> anyhow::Result<u64> {
        let pid = self.process.as_ref().and_then(Child::id).context("it does not run")?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes: u64 = line
            .and_then(|line| line.trim().strip_suffix(" kB"))
            .context("no VmRSS")?
            .trim()
            .parse()?;
        Ok(kilobytes * 1024)
    }
}
