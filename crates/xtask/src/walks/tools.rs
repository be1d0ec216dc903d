//! The programs that pages use.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, ensure};
use oms_servers::installed::{needed, on_path};
use tokio::process::Command;

use crate::guard::Stop;

/// What no distribution has: Go brings it.
const GRPCURL: &str = "github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3";
const WITHIN: Duration = Duration::from_secs(300);

/// Programs by name, each with what installs it.
const TOOLS: [(&str, &str); 5] = [
    ("jq", "apt-get install jq"),
    ("kcat", "apt-get install kcat"),
    ("python3", "apt-get install python3-venv"),
    ("node", "apt-get install nodejs"),
    ("npm", "apt-get install npm"),
];

/// Brings or misses what a script uses. The PATH to run it with: `own` first.
///
/// # Errors
/// What is missing, with the fix.
pub(super) async fn provide(
    script: &str,
    scratch: &Path,
    own: PathBuf,
    stop: &mut Stop,
) -> anyhow::Result<OsString> {
    let uses = |name: &str| {
        script.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name)
    };
    for (name, fix) in TOOLS.into_iter().filter(|(name, _)| uses(name)) {
        needed(name, fix)?;
    }
    let bin = scratch.join("bin");
    if uses("grpcurl") && on_path("grpcurl").is_none() && !bin.join("grpcurl").is_file() {
        let go = needed("go", &format!("install Go, or grpcurl itself ({GRPCURL})"))?;
        let mut install = Command::new(go);
        install.args(["install", GRPCURL]).env("GOBIN", &bin);
        let status = stop.run("go install grpcurl", install, Some(WITHIN)).await?;
        ensure!(status.success(), "go install {GRPCURL}: {status}");
    }
    with_path([own, bin])
}

#[allow(clippy::disallowed_methods, reason = "the PATH is no setting of ours")]
fn with_path(first: impl IntoIterator<Item = PathBuf>) -> anyhow::Result<OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = first.into_iter().chain(std::env::split_paths(&path));
    std::env::join_paths(folders).context("PATH")
}
