//! Rules about lines of text.

use super::Finding;
use crate::{File, Tree};

/// Columns of a line at most.
const COLUMNS_MAX: usize = 100;

/// A word this long cannot be broken (a URL, a line of JSON), so its line may be longer.
const UNBREAKABLE: usize = 60;

/// Marks of work left over.
const MARKERS: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME")];

/// Beginnings of paths that exist on one machine only.
const MACHINE_PATHS: &[&str] = &[
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
    concat!("/wo", "rk/"),
    concat!("C:", "\\"),
];

/// Tabs where none belong, trailing space, and files without a last newline.
pub(super) fn whitespace(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut say = |file: &File, line: usize, message: &str| {
        findings.push(Finding::new("whitespace", &file.path, line, message));
    };
    for file in tree.files() {
        let tabs_belong = file.path.ends_with("Makefile");
        for (number, line) in file.lines() {
            if line.contains('\t') && !tabs_belong {
                say(file, number, "a tab; indent with spaces");
            } else if line.ends_with([' ', '\t', '\r']) {
                say(file, number, "space at the end of the line");
            }
        }
        if file.extension() == "rs" && !file.text.is_empty() && !file.text.ends_with('\n') {
            say(file, file.lines().count(), "no newline at the end of the file");
        }
    }
    findings
}

/// Lines of code longer than the bound. Prose and manifests are free: their tables do not wrap.
pub(super) fn columns(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files() {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        let is_code = ["rs", "proto", "sh"].contains(&file.extension())
            || ["Makefile", "run"].contains(&name);
        for (number, line) in file.lines().filter(|_| is_code) {
            let columns = line.chars().count();
            let unbreakable = line.split_whitespace().any(|word| word.len() >= UNBREAKABLE);
            if columns > COLUMNS_MAX && !unbreakable {
                let message = format!("{columns} columns, at most {COLUMNS_MAX}");
                findings.push(Finding::new("columns", &file.path, number, message));
            }
        }
    }
    findings
}

/// Marks of work left over: an issue is the place for them.
pub(super) fn markers(tree: &Tree) -> Vec<Finding> {
    let message = |word: &str| format!("{word} left over: do it, or write an issue");
    lines_with(tree, "markers", MARKERS, message)
}

/// Paths that exist on one machine only.
pub(super) fn machine_paths(tree: &Tree) -> Vec<Finding> {
    let message = |path: &str| format!("{path}… exists on one machine only: use a relative path");
    lines_with(tree, "machine-paths", MACHINE_PATHS, message)
}

/// Lines with one of `words`, which must not touch a letter on either side.
fn lines_with(
    tree: &Tree,
    rule: &'static str,
    words: &[&str],
    message: fn(&str) -> String,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files() {
        for (number, line) in file.lines() {
            if let Some(word) = words.iter().find(|word| stands_alone(line, word)) {
                findings.push(Finding::new(rule, &file.path, number, message(word)));
            }
        }
    }
    findings
}

fn stands_alone(line: &str, word: &str) -> bool {
    let joins = |c: char| c.is_alphanumeric() || "_.-~}/".contains(c);
    line.match_indices(word).any(|(at, _)| {
        let after = &line[at + word.len()..];
        let ends = !word.ends_with(char::is_alphanumeric)
            || !after.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        !line[..at].ends_with(joins) && ends
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(rule: fn(&Tree) -> Vec<Finding>, path: &str, text: &str) -> Vec<usize> {
        rule(&Tree::sample([(path, text)])).into_iter().map(|finding| finding.line).collect()
    }

    const NONE: [usize; 0] = [];

    #[test]
    fn tabs_and_trailing_space_are_found() {
        assert_eq!(lines(whitespace, "a.rs", "a\n\tb\nc \nd"), [2, 3, 4]);
        assert_eq!(lines(whitespace, "a.md", "a\r\nb  \n"), [2]);
        assert_eq!(lines(whitespace, "Makefile", "a:\n\tb\n"), NONE);
    }

    #[test]
    fn long_lines_of_code_are_found_unless_they_cannot_be_broken() {
        let long = "word ".repeat(21);
        let url = format!("// see https://example.org/{}", "x".repeat(90));
        assert_eq!(lines(columns, "a.rs", &long), [1]);
        assert_eq!(lines(columns, ".ci/run", &long), [1]);
        assert_eq!(lines(columns, "a.md", &long), NONE);
        assert_eq!(lines(columns, "a.rs", &url), NONE);
        assert_eq!(lines(columns, "a.rs", &"ж".repeat(100)), NONE);
    }

    #[test]
    fn marks_of_work_left_over_are_found() {
        for marker in MARKERS {
            assert_eq!(lines(markers, "a.sh", &format!("ok\n# {marker}: later")), [2]);
            assert_eq!(lines(markers, "a.sh", &format!("mktemp /x.{marker}{marker}")), NONE);
        }
    }

    #[test]
    fn paths_of_one_machine_are_found() {
        for path in MACHINE_PATHS {
            assert_eq!(lines(machine_paths, "a.toml", &format!("x = \"{path}me\"")), [1], "{path}");
            assert_eq!(
                lines(machine_paths, "a.toml", &format!("x = \"..{path}me\"")),
                NONE,
                "{path}"
            );
        }
    }
}
