//! Commands that are watched over: bounded in time, ended with all they started.

use std::{process::ExitStatus, time::Duration};

use anyhow::{Context, bail};
use tokio::{
    process::{Child, Command},
    signal::unix::{Signal, SignalKind, signal},
};

/// How long a command may take to end after it was told to.
const FAREWELL: Duration = Duration::from_secs(15);

/// The wish of whoever sits at the terminal, or of whoever started us, that this ends.
pub(crate) struct Stop {
    signals: [Signal; 3],
}

impl Stop {
    /// Listens from now on; the signals do nothing else any more.
    pub(crate) fn listen() -> anyhow::Result<Self> {
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let [interrupt, terminate, hangup] = kinds.map(signal);
        Ok(Self { signals: [interrupt?, terminate?, hangup?] })
    }

    /// Resolves when the end is wished.
    pub(crate) async fn wished(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.signals;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }

    /// Runs a command to its end. When that is wished before, or takes longer than `within`, it is
    /// ended with everything it started.
    pub(crate) async fn run(
        &mut self,
        what: &str,
        mut command: Command,
        within: Option<Duration>,
    ) -> anyhow::Result<ExitStatus> {
        // A group of its own, so that all of it can be ended.
        let mut child = command
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot run {:?}", command.as_std().get_program()))?;
        let bound = async {
            match within {
                Some(within) => tokio::time::sleep(within).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            ended = child.wait() => Ok(ended?),
            () = self.wished() => {
                end(&mut child).await?;
                bail!("{what}: interrupted")
            }
            () = bound => {
                end(&mut child).await?;
                let seconds = within.unwrap_or_default().as_secs();
                bail!("{what}: did not end within {seconds} s, and was ended")
            }
        }
    }
}

/// Asks the whole group to end, and then makes it.
async fn end(child: &mut Child) -> anyhow::Result<()> {
    let Some(group) = child.id() else { return Ok(()) };
    tell(group, "TERM").await?;
    let _late = tokio::time::timeout(FAREWELL, child.wait()).await;
    tell(group, "KILL").await?;
    child.wait().await?;
    Ok(())
}

async fn tell(group: u32, name: &str) -> anyhow::Result<()> {
    let group = format!("-{group}");
    let mut kill = Command::new("kill");
    // It fails when nobody is left, which is what is wanted.
    kill.args(["-s", name, "--", &group]).stderr(std::process::Stdio::null()).status().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[tokio::test]
    async fn a_command_that_hangs_is_ended_with_what_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let pid = folder.path().join("pid");
        let script = format!("sleep 602 & echo $! > {}; wait", pid.display());
        let within = Some(Duration::from_millis(500));
        let mut stop = Stop::listen().unwrap();
        let error = stop.run("the story", shell(&script), within).await.unwrap_err();
        assert!(error.to_string().starts_with("the story: did not end within"), "{error}");
        let child: u32 = std::fs::read_to_string(pid).unwrap().trim().parse().unwrap();
        // Nobody waits for an orphan here but the system itself.
        let until = std::time::Instant::now() + Duration::from_secs(30);
        while std::fs::read(format!("/proc/{child}/cmdline")).is_ok_and(|line| !line.is_empty()) {
            assert!(std::time::Instant::now() < until, "{child} was left");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    #[tokio::test]
    async fn the_end_of_a_command_is_told_as_it_is() {
        let mut stop = Stop::listen().unwrap();
        assert_eq!(stop.run("x", shell("exit 7"), None).await.unwrap().code(), Some(7));
        stop.run("x", Command::new("no-such-program"), None).await.unwrap_err();
    }
}
