//! Every key of the configuration file says what it is and in which unit.

use super::Finding;
use crate::Tree;

/// The file that lists every key with its default.
const FILE: &str = "deploy/config/oms.toml";

/// Keys without a comment, on the same line or directly above.
pub(super) fn documented(tree: &Tree) -> Vec<Finding> {
    let Some(file) = tree.file(FILE) else { return Vec::new() };
    let mut findings = Vec::new();
    let mut commented = false;
    for (number, line) in file.lines() {
        let line = line.trim();
        if line.starts_with('#') {
            commented = true;
            continue;
        }
        let is_key = !line.starts_with('[') && line.contains(" = ");
        if is_key && !commented && !line.contains(" # ") {
            let key = line.split(" = ").next().unwrap_or_default();
            let message = format!("`{key}` has no comment: say what it is and its unit");
            findings.push(Finding::new("settings", FILE, number, message));
        }
        commented = false;
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_without_a_comment_is_found() {
        let text = "# One table.\n[a]\nbare = 1\n# Above, in milliseconds.\nb_ms = 2\n\
            c = 3 # same line\n\n# Far above.\n\nd = 4\n";
        let lines: Vec<usize> =
            documented(&Tree::sample([(FILE, text)])).into_iter().map(|f| f.line).collect();
        assert_eq!(lines, [3, 10]);
    }
}
