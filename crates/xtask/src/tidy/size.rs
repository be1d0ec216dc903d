//! A file is done in a screen or three.

use super::Finding;
use crate::Tree;

/// Lines of a Rust file at most.
const LINES_MAX: usize = 400;

/// Files that may be longer, each with its reason.
const MAY_BE_LONGER: &[(&str, &str)] = &[];

/// Rust files longer than the bound, and exceptions that are none.
pub(super) fn files(tree: &Tree) -> Vec<Finding> {
    measured(tree, MAY_BE_LONGER)
}

fn measured(tree: &Tree, exceptions: &[(&str, &str)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        let lines = file.lines().count();
        let excepted = exceptions.iter().any(|(path, _)| *path == file.path);
        let message = match (lines > LINES_MAX, excepted) {
            (true, false) => format!("{lines} lines, at most {LINES_MAX}: split it by concern"),
            (false, true) => "is listed as too long in size.rs and is not: unlist it".into(),
            _ => continue,
        };
        findings.push(Finding::new("file-size", &file.path, lines.min(LINES_MAX + 1), message));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_401_lines_is_found_unless_it_is_listed() {
        let long = "x\n".repeat(401);
        let tree = Tree::sample([("a.rs", long.as_str()), ("a.md", long.as_str())]);
        assert_eq!(measured(&tree, &[]).len(), 1);
        assert_eq!(measured(&tree, &[("a.rs", "a table")]), []);
    }

    #[test]
    fn an_exception_that_is_none_is_found() {
        let tree = Tree::sample([("a.rs", "x\n")]);
        assert_eq!(measured(&tree, &[("a.rs", "a table")]).len(), 1);
        assert_eq!(measured(&tree, &[]), []);
    }
}
