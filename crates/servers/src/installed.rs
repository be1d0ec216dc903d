//! Programs of the machine: where they are, or what installs them.

use std::path::PathBuf;

use anyhow::Context;

/// Where a program is on the PATH.
#[must_use]
#[allow(clippy::disallowed_methods, reason = "the PATH is no setting of ours")]
pub fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Where a program is, or what to do about it.
///
/// # Errors
/// That it is missing, and what installs it.
pub fn needed(name: &str, fix: &str) -> anyhow::Result<PathBuf> {
    on_path(name).with_context(|| format!("{name} is missing: {fix}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_told_with_the_fix() {
        let error = needed("no-such-program", "apt-get install it").unwrap_err();
        assert_eq!(error.to_string(), "no-such-program is missing: apt-get install it");
    }
}
