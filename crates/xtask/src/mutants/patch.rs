//! The patches.

use std::{fs, path::PathBuf};

use anyhow::{Context, ensure};

use crate::tree::root;

/// Where the patches are, from the root.
const FOLDER: &str = "crates/sim/mutants";

/// A mistake to be planted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mutant {
    /// The patch's name.
    pub name: String,
    /// What it plants.
    pub plants: String,
    /// Where it is.
    pub path: PathBuf,
}

/// Every mutant, by name.
///
/// # Errors
/// When a patch cannot be read or does not say what it plants.
pub fn mutants() -> anyhow::Result<Vec<Mutant>> {
    let folder = root().join(FOLDER);
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot list {FOLDER}"))? {
        let path = entry?.path().canonicalize()?;
        let text = fs::read_to_string(&path)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let plants = comment(&text, "Plants").to_owned();
        let both = !plants.is_empty() && !comment(&text, "Seen by").is_empty();
        ensure!(both, "{FOLDER}/{name}.patch: begin with `# Plants: …` and `# Seen by: …`");
        found.push(Mutant { name, plants, path });
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// What a comment before the patch says.
fn comment<'a>(text: &'a str, title: &str) -> &'a str {
    let comments = text.lines().take_while(|line| line.starts_with('#'));
    let said = |line: &'a str| line.strip_prefix("# ")?.strip_prefix(title)?.strip_prefix(": ");
    comments.filter_map(said).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_read_up_to_the_patch() {
        let text = "# Plants: a\n# Seen by: I1\ndiff --git a/x b/x\n# Plants: b\n";
        assert_eq!((comment(text, "Plants"), comment(text, "Seen by")), ("a", "I1"));
        assert_eq!(comment("diff\n# Plants: b\n", "Plants"), "");
    }
}
