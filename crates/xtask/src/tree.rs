//! The files of the repository, as the rules see them.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

/// A text file of the repository.
#[derive(Clone, Debug)]
pub struct File {
    /// Path from the root, with forward slashes.
    pub path: String,
    /// What it says.
    pub text: String,
}

impl File {
    /// The lines with their numbers, from 1.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(i, line)| (i + 1, line))
    }

    /// What follows the last dot of the file's name.
    #[must_use]
    pub fn extension(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name.rsplit_once('.').map_or("", |(_, extension)| extension)
    }
}

/// Every text file that is, or could be, committed. Tests build one from samples.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    files: Vec<File>,
    others: Vec<String>,
}

impl Tree {
    /// A tree of samples.
    pub fn sample<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let file = |(path, text): (&str, &str)| File { path: path.into(), text: text.into() };
        Self { files: files.into_iter().map(file).collect(), others: Vec::new() }
    }

    /// The repository this tool was built in.
    ///
    /// # Errors
    /// When its files cannot be listed or read.
    pub fn of_this_repository() -> io::Result<Self> {
        let root = root();
        let mut tree = Self::default();
        for path in paths()? {
            match fs::read(root.join(&path)) {
                Ok(bytes) => match String::from_utf8(bytes) {
                    Ok(text) => tree.files.push(File { path, text }),
                    Err(_) => tree.others.push(path),
                },
                // Deleted in the working tree, not yet in the index.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(tree)
    }

    /// Every text file, by path.
    #[must_use]
    pub fn files(&self) -> &[File] {
        &self.files
    }

    /// The file at `path`.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Whether `path` is a file or a folder with files in it.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        let folder = format!("{path}/");
        let paths = self.files.iter().map(|file| &file.path).chain(&self.others);
        path.is_empty() || paths.into_iter().any(|p| p == path || p.starts_with(&folder))
    }

    /// The Rust files.
    pub fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.extension() == "rs")
    }

    /// The folders of the workspace's members, `crates/order` for example.
    #[must_use]
    pub fn members(&self) -> Vec<&str> {
        let folder = |file: &'_ File| file.path.strip_suffix("/Cargo.toml").map(str::len);
        self.files.iter().filter_map(|file| folder(file).map(|end| &file.path[..end])).collect()
    }
}

/// The root of the repository this tool was built in.
#[must_use]
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every file that is, or could be, committed, by path from the root.
///
/// # Errors
/// When they cannot be listed.
pub(crate) fn paths() -> io::Result<Vec<String>> {
    let root = root();
    let mut paths = match tracked(&root) {
        Some(paths) => paths,
        None => walked(&root)?,
    };
    paths.sort_unstable();
    Ok(paths)
}

/// What git tracks or would track; nothing when this is no git checkout.
fn tracked(root: &Path) -> Option<Vec<String>> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .ok()?;
    let names = String::from_utf8(output.stdout).ok()?;
    let mut paths: Vec<String> =
        names.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    paths.sort_unstable();
    paths.dedup();
    (output.status.success() && !paths.is_empty()).then_some(paths)
}

/// Every file of an unpacked archive.
pub(crate) fn walked(root: &Path) -> io::Result<Vec<String>> {
    let (mut found, mut folders) = (Vec::new(), vec![String::new()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            if entry.file_type()?.is_dir() {
                if ![".git", "target", "data"].contains(&path.as_str()) {
                    folders.push(path);
                }
            } else {
                found.push(path);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_there_when_a_file_is_in_it() {
        let tree = Tree::sample([("docs/adr/0001-a.md", "")]);
        for there in ["docs", "docs/adr", "docs/adr/0001-a.md", ""] {
            assert!(tree.has(there), "{there}");
        }
        for absent in ["doc", "docs/ad", "docs/adr/0001"] {
            assert!(!tree.has(absent), "{absent}");
        }
    }

    #[test]
    fn walking_an_archive_finds_what_git_finds() {
        let walked = walked(&root()).unwrap();
        assert!(walked.contains(&"crates/xtask/src/tree.rs".to_owned()));
        assert!(!walked.iter().any(|path| path.starts_with("target/")));
    }

    #[test]
    fn extensions_are_those_of_the_name() {
        let file = |path: &str| File { path: path.into(), text: String::new() };
        assert_eq!(file("a.b/Makefile").extension(), "");
        assert_eq!(file("a/b.rs").extension(), "rs");
    }
}
