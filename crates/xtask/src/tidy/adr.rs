//! Decisions are numbered without gaps and say the same four things.

use super::{Finding, markdown::headings};
use crate::{File, Tree};

const FOLDER: &str = "docs/adr/";

/// What a decision tells.
const SECTIONS: &[&str] = &["Context", "Decision", "Consequences", "What would flip it"];

fn pages(tree: &Tree) -> impl Iterator<Item = (&File, &str)> {
    tree.files()
        .iter()
        .filter_map(|file| file.path.strip_prefix(FOLDER).map(|name| (file, name)))
        .filter(|(_, name)| *name != "README.md")
}

/// Names that are not `NNNN-some-title.md`; numbers that are missing, double or not the title's.
pub(super) fn numbering(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (i, (file, name)) in pages(tree).enumerate() {
        let expected = format!("{:04}", i + 1);
        let well_named = name
            .strip_suffix(".md")
            .and_then(|stem| stem.split_once('-'))
            .is_some_and(|(number, title)| {
                number == expected
                    && !title.is_empty()
                    && title
                        .chars()
                        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            });
        let title = format!("# {expected}. ");
        if !well_named {
            let message = format!("expected {expected}-a-title-in-lower-case.md");
            findings.push(Finding::new("adr", &file.path, 1, message));
        } else if !file.text.starts_with(&title) {
            let message = format!("the first line begins with \"{title}\"");
            findings.push(Finding::new("adr", &file.path, 1, message));
        }
    }
    findings
}

/// Decisions that leave out one of the four things.
pub(super) fn sections(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, _) in pages(tree) {
        let present = headings(&file.text);
        for section in SECTIONS {
            if !present.iter().any(|(_, _, title)| title == section) {
                let message = format!("no heading \"{section}\"");
                findings.push(Finding::new("adr", &file.path, 1, message));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_and_bad_names_are_found() {
        let count = |names: &[(&str, &str)]| {
            let paths: Vec<String> = names.iter().map(|(n, _)| format!("docs/adr/{n}")).collect();
            let texts = names.iter().map(|(_, text)| *text);
            numbering(&Tree::sample(paths.iter().map(String::as_str).zip(texts))).len()
        };
        assert_eq!(count(&[("0001-a.md", "# 0001. A\n"), ("0002-b.md", "# 0002. B\n")]), 0);
        assert_eq!(count(&[("0001-a.md", "# 0001. A\n"), ("0003-b.md", "# 0003. B\n")]), 1);
        assert_eq!(count(&[("0001-a.md", "# 0001. A\n"), ("0001-b.md", "# 0001. B\n")]), 1);
        assert_eq!(count(&[("0001-A title.md", "# 0001. A\n")]), 1);
        assert_eq!(count(&[("0001-a.md", "# A\n")]), 1);
        assert_eq!(count(&[("notes.md", "")]), 1);
    }

    #[test]
    fn a_decision_without_what_would_flip_it_is_found() {
        let text = "# 0001. A\n## Context\n## Decision\n## Consequences\n";
        let findings = sections(&Tree::sample([("docs/adr/0001-a.md", text)]));
        assert_eq!(findings.len(), 1);
        assert!(findings[0].message.contains("flip"));
    }
}
