//! All rules on one screen.

use super::{Finding, adr, canvas, crates, layers, links, makefile, rooms, settings, size, text};
use crate::Tree;

/// A rule: finds the places that break it.
type Rule = fn(&Tree) -> Vec<Finding>;

/// Every rule.
pub const RULES: &[Rule] = &[
    layers::imports,
    crates::names,
    crates::no_unsafe_code,
    crates::one_test_binary,
    rooms::imports,
    rooms::pure_domain,
    rooms::commands_without_transport,
    rooms::mod_files,
    size::files,
    text::whitespace,
    text::columns,
    text::markers,
    text::machine_paths,
    links::resolve,
    canvas::pages,
    settings::documented,
    adr::numbering,
    adr::sections,
    makefile::verbs,
];

/// Every finding of every rule, by file and line.
#[must_use]
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings: Vec<Finding> = RULES.iter().flat_map(|rule| rule(tree)).collect();
    findings.sort_unstable();
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_of_all_rules_come_by_file_and_line() {
        let tree = Tree::sample([("b.md", "[x](gone.md)"), ("a.rs", "x \ny\t\n")]);
        let found: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].starts_with("a.rs:1: [whitespace]"));
        assert!(found[1].starts_with("a.rs:2: [whitespace]"));
        assert!(found[2].starts_with("b.md:1: [links]"));
    }
}
