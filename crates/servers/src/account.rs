//! PostgreSQL refuses to run as root: then it runs as its package's own user.

use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::{MetadataExt, chown},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, ensure};

/// The user that Debian's package makes.
const USER: &str = "postgres";

/// Whether this process is root's.
pub(crate) fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// A command of that user if this process is root's, else of the same user as we are.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    if is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", USER, "--"]).arg(program);
        return command;
    }
    Command::new(program)
}

/// Whether PostgreSQL's user can use a folder that exists.
pub(crate) fn can_enter(folder: &Path) -> bool {
    let test = command("test").arg("-x").arg(folder).stderr(Stdio::null()).status();
    test.is_ok_and(|status| status.success())
}

/// Gives a file or folder to PostgreSQL's user.
pub(crate) fn give(path: &Path) -> anyhow::Result<()> {
    if !is_root() {
        return Ok(());
    }
    let output = Command::new("id").args(["-u", USER]).output()?;
    ensure!(output.status.success(), "there is no user {USER}: apt-get install postgresql");
    let uid = String::from_utf8(output.stdout)?.trim().parse()?;
    chown(path, Some(uid), None).with_context(|| format!("cannot give away {}", path.display()))
}
