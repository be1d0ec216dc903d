//! Processes by the file that names them; a number that now belongs to somebody else is let be.

use std::{
    fs,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};

const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Writes down which process serves.
pub(crate) fn write(file: &Path, pid: u32) -> anyhow::Result<()> {
    fs::write(file, pid.to_string()).with_context(|| format!("cannot write {}", file.display()))
}

/// The process that `file` names, if it runs and `mark` is in its command line.
pub(crate) fn running(file: &Path, mark: &str) -> Option<u32> {
    let pid: u32 = fs::read_to_string(file).ok()?.trim().parse().ok()?;
    // A process that has ended and was not waited for has an empty command line.
    let command = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    String::from_utf8_lossy(&command).contains(mark).then_some(pid)
}

/// Sends a signal and waits until the process is gone.
pub(crate) fn end(file: &Path, mark: &str, signal: &str, within: Duration) -> anyhow::Result<()> {
    let Some(pid) = running(file, mark) else { return Ok(()) };
    let sent = Command::new("kill").args([&format!("-{signal}"), &pid.to_string()]).status()?;
    let until = Instant::now() + within;
    while running(file, mark).is_some() {
        ensure!(sent.success(), "cannot send {signal} to process {pid}");
        ensure!(Instant::now() < until, "process {pid} still runs {within:?} after {signal}");
        thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_process_with_the_mark_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let mut child = Command::new("sleep").arg("601").spawn().unwrap();
        write(&file, child.id()).unwrap();
        // A child that is becoming its program has no command line for a moment.
        let until = Instant::now() + Duration::from_secs(30);
        while running(&file, "601").is_none() && Instant::now() < until {
            thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(running(&file, "no such mark"), None);
        assert_eq!(running(&file, "601"), Some(child.id()));
        end(&file, "601", "KILL", Duration::from_secs(30)).unwrap();
        assert!(!child.wait().unwrap().success());
        assert_eq!(running(&file, "601"), None);
    }
}
