//! What the chart has copies of: Helm reads no file outside of a chart.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use super::readme;
use crate::tree;

const FILES: &str = "helm/oms/files";
/// Files with a copy.
const SINGLE: [&str; 3] =
    ["deploy/kafka/topics.yaml", "deploy/postgres/service.sql", "deploy/postgres/init.sh"];
/// Folders with copies of all their files of a kind, and where those are.
const FOLDERS: [(&str, &str, &str); 2] =
    [("deploy/grafana/boards", "json", "dashboards"), ("deploy/prometheus/rules", "yaml", "rules")];

/// Copies that are not what they should be.
pub(super) fn check() -> io::Result<Vec<String>> {
    let (wanted, there) = (wanted()?, there()?);
    let stale = there.iter().filter(|path| !wanted.contains_key(*path));
    let mut wrong: Vec<PathBuf> = stale.cloned().collect();
    for (path, text) in &wanted {
        if fs::read(path).ok().as_deref() != Some(text.as_slice()) {
            wrong.push(path.clone());
        }
    }
    let told = |path: &PathBuf| {
        let shown = path.strip_prefix(tree::root()).unwrap_or(path).display().to_string();
        format!("{shown} is not current; run `cargo xtask ship --write`")
    };
    Ok(wrong.iter().map(told).collect())
}

/// Makes every copy anew, and the table of values in the chart's README.
///
/// # Errors
/// When a file cannot be read or written.
pub fn write() -> io::Result<()> {
    let wanted = wanted()?;
    for path in there()?.iter().filter(|path| !wanted.contains_key(*path)) {
        fs::remove_file(path)?;
    }
    for (path, text) in wanted {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, text)?;
    }
    Ok(())
}

/// Every copy with what it must say.
fn wanted() -> io::Result<BTreeMap<PathBuf, Vec<u8>>> {
    let root = tree::root();
    let mut all = BTreeMap::new();
    let mut copy = |from: &Path, to: PathBuf| -> io::Result<()> {
        if let Some(name) = from.file_name() {
            all.insert(root.join(FILES).join(to).join(name), fs::read(from)?);
        }
        Ok(())
    };
    for path in SINGLE {
        copy(&root.join(path), PathBuf::new())?;
    }
    for (folder, kind, to) in FOLDERS {
        for path in files(&root.join(folder))? {
            if path.extension().is_some_and(|extension| extension == kind) {
                copy(&path, PathBuf::from(to))?;
            }
        }
    }
    all.insert(root.join(readme::PAGE), readme::page()?.into_bytes());
    Ok(all)
}

/// Every copy there is.
fn there() -> io::Result<Vec<PathBuf>> {
    let files_folder = tree::root().join(FILES);
    let mut all = files(&files_folder)?;
    for (_, _, folder) in FOLDERS {
        all.extend(files(&files_folder.join(folder))?);
    }
    Ok(all)
}

/// The files of a folder; none where there is no folder.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let paths: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    Ok(paths.into_iter().filter(|path| path.is_file()).collect())
}
