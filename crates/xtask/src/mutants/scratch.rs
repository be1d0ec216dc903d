//! A copy of the workspace in which mistakes are planted.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use anyhow::{Context, bail, ensure};

use super::Mutant;
use crate::tree::{paths, root, walked};

/// What the simulator found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The seed that found it.
    pub seed: u64,
    /// The first invariant it broke.
    pub broken: String,
}

/// The copy, below `target/mutants`.
#[derive(Debug)]
pub struct Scratch {
    tree: PathBuf,
    build: PathBuf,
}

/// Whether the patch still applies to the repository as it is.
///
/// # Errors
/// When git cannot be run, or with what it says.
pub fn applies(mutant: &Mutant) -> anyhow::Result<()> {
    git_apply(&root(), mutant, &["--check"])
}

impl Scratch {
    /// A copy of what is tracked or could be; an old one is used again.
    ///
    /// # Errors
    /// When files cannot be read or written.
    pub fn new() -> anyhow::Result<Self> {
        let folder = root().canonicalize()?.join("target/mutants");
        let scratch = Self { tree: folder.join("tree"), build: folder.join("build") };
        scratch.restore()?;
        Ok(scratch)
    }

    /// Plants a mutant, builds the simulator and plays up to `seeds` seeds. None when it survives.
    ///
    /// # Errors
    /// When the patch does not apply or the copy does not build.
    pub fn hunt(&self, mutant: &Mutant, seeds: u64) -> anyhow::Result<Option<Found>> {
        self.restore()?;
        git_apply(&self.tree, mutant, &[])?;
        let built = self.cargo(&["build", "--quiet", "--package", "oms-sim"])?;
        ensure!(built.status.success(), "{} does not build:\n{}", mutant.name, text(&built.stderr));
        let played = Command::new(self.build.join("debug/oms-sim"))
            .args(["--quick", "--seeds", &seeds.to_string()])
            .stdin(Stdio::null())
            .output()?;
        match played.status.code() {
            Some(0) => Ok(None),
            Some(1) => found(&text(&played.stdout)).map(Some).with_context(|| {
                format!("{}: the simulator failed:\n{}", mutant.name, text(&played.stderr))
            }),
            _ => bail!("{}: the simulator ended badly:\n{}", mutant.name, text(&played.stderr)),
        }
    }

    fn cargo(&self, args: &[&str]) -> io::Result<Output> {
        Command::new("cargo")
            .args(args)
            .arg("--target-dir")
            .arg(&self.build)
            .current_dir(&self.tree)
            .output()
    }

    /// Makes the copy what the repository is. Only what differs is written, so that no more is
    /// built than must be. What the repository no longer has is deleted.
    fn restore(&self) -> anyhow::Result<()> {
        fs::create_dir_all(&self.tree)?;
        let wanted = paths()?;
        for stale in walked(&self.tree)?.iter().filter(|path| wanted.binary_search(path).is_err()) {
            fs::remove_file(self.tree.join(stale))?;
        }
        for path in wanted {
            let (from, to) = (root().join(&path), self.tree.join(&path));
            let Ok(wanted) = fs::read(&from) else { continue };
            if fs::read(&to).is_ok_and(|there| there == wanted) {
                continue;
            }
            if let Some(folder) = to.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&to, wanted)?;
        }
        Ok(())
    }
}

fn git_apply(tree: &Path, mutant: &Mutant, more: &[&str]) -> anyhow::Result<()> {
    let applied = Command::new("git")
        .arg("apply")
        .args(more)
        .arg(&mutant.path)
        .current_dir(tree)
        // The copy is below the repository, and is none itself.
        .env("GIT_CEILING_DIRECTORIES", tree.parent().unwrap_or(tree))
        .output()
        .context("git apply")?;
    let name = &mutant.name;
    ensure!(applied.status.success(), "{name} does not apply:\n{}", text(&applied.stderr));
    Ok(())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The seed and the first broken line in what the simulator printed.
fn found(printed: &str) -> Option<Found> {
    let mut lines = printed.lines();
    let seed = lines.find_map(|line| line.strip_prefix("seed ")?.strip_suffix(" breaks:"))?;
    let broken = lines.next()?.trim().to_owned();
    Some(Found { seed: seed.parse().ok()?, broken })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seed_and_violation_are_read_from_what_the_simulator_prints() {
        let printed = "12 seeds\n\nseed 7 breaks:\n  I1 negative: A\n  I2 x\n";
        let expected = Found { seed: 7, broken: "I1 negative: A".to_owned() };
        assert_eq!(found(printed), Some(expected));
        assert_eq!(found("12 seeds\n"), None);
    }
}
