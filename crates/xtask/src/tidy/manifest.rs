//! What a `Cargo.toml` says about dependencies and tests.

/// A dependency on a crate of this workspace.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dependency<'a> {
    /// The package, `oms-order` for example.
    pub(super) name: &'a str,
    /// Line in the manifest.
    pub(super) line: usize,
}

/// The name in `[package]`.
pub(super) fn package(manifest: &str) -> Option<&str> {
    sections(manifest)
        .find_map(|(section, _, line)| {
            (section == "package").then(|| line.strip_prefix("name")).flatten()
        })
        .and_then(|rest| rest.split('"').nth(1))
}

/// Dependencies on packages of this workspace (`oms`, `oms-…`, `xtask`), of every kind: a
/// development dependency couples two crates just as much.
pub(super) fn dependencies(manifest: &str) -> Vec<Dependency<'_>> {
    let mut found: Vec<Dependency<'_>> = Vec::new();
    for (section, number, line) in sections(manifest) {
        let table = section.rsplit_once("dependencies");
        let name = match table {
            // [dependencies] name = …
            Some((_, "")) => line.split(['=', '.', ' ']).next().unwrap_or_default(),
            // [dependencies.name]
            Some((_, rest)) => rest.trim_start_matches('.'),
            None => continue,
        };
        let name = name.trim_matches('"');
        let known = found.iter().any(|dependency| dependency.name == name);
        if !known && (name == "oms" || name == "xtask" || name.starts_with("oms-")) {
            found.push(Dependency { name, line: number });
        }
    }
    found
}

/// Lines that are no comment and no header, with the section they are in and their number.
fn sections(manifest: &str) -> impl Iterator<Item = (&str, usize, &str)> {
    let mut section = "";
    manifest.lines().enumerate().filter_map(move |(i, line)| {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            section = header.trim_matches(['[', ']']);
            return None;
        }
        (!line.is_empty() && !line.starts_with('#')).then_some((section, i + 1, line))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "[package]\nname = \"oms-a\"\n\n[dependencies]\n# oms-no = 1\n\
        oms-b = { workspace = true }\noms-c.workspace = true\nserde = \"1\"\n\n\
        [dev-dependencies.oms-d]\nworkspace = true\nfeatures = []\n";

    #[test]
    fn dependencies_are_read_in_every_spelling() {
        let names: Vec<_> = dependencies(MANIFEST).iter().map(|d| (d.name, d.line)).collect();
        assert_eq!(names, [("oms-b", 6), ("oms-c", 7), ("oms-d", 11)]);
    }

    #[test]
    fn the_package_is_named_in_its_own_section() {
        assert_eq!(package(MANIFEST), Some("oms-a"));
        assert_eq!(package("[lib]\nname = \"x\"\n"), None);
    }
}
