//! The Makefile is an index of verbs, not a program.

use super::Finding;
use crate::Tree;

/// Lines of a recipe at most.
const RECIPE_LINES_MAX: usize = 3;

/// Verbs without a `## description`, and recipes that are programs.
pub(super) fn verbs(tree: &Tree) -> Vec<Finding> {
    let Some(file) = tree.file("Makefile") else { return Vec::new() };
    let mut findings = Vec::new();
    let mut recipe = 0;
    for (number, line) in file.lines() {
        if line.starts_with('\t') {
            recipe += 1;
            if recipe == RECIPE_LINES_MAX + 1 {
                let message =
                    format!("a recipe has at most {RECIPE_LINES_MAX} lines: write a tool");
                findings.push(Finding::new("makefile", &file.path, number, message));
            }
            continue;
        }
        recipe = 0;
        if is_verb(line) && !line.contains(" ## ") {
            let message = "a verb says what it does after ` ## `";
            findings.push(Finding::new("makefile", &file.path, number, message));
        }
    }
    findings
}

/// `name: …`, but no variable and no special target.
fn is_verb(line: &str) -> bool {
    let name = line.split(':').next().unwrap_or_default();
    line.contains(':')
        && !line.contains('=')
        && !name.is_empty()
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silent_verbs_and_long_recipes_are_found() {
        let text =
            ".PHONY: a b\nX := y\na: b ## Does a\n\t1\n\t2\n\t3\nb:\n\t1\n\t2\n\t3\n\t4\n\t5\n";
        let found = verbs(&Tree::sample([("Makefile", text)]));
        let lines: Vec<usize> = found.into_iter().map(|finding| finding.line).collect();
        assert_eq!(lines, [7, 11]);
    }
}
