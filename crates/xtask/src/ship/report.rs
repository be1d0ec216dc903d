//! What the checks have to say.

/// What was checked, what was found, and what was not checked.
#[derive(Debug, Default)]
pub struct Report {
    checked: Vec<String>,
    findings: Vec<String>,
    skipped: Vec<String>,
}

impl Report {
    /// What a check found.
    pub(super) fn add(&mut self, check: &str, findings: impl IntoIterator<Item = String>) {
        self.checked.push(check.to_owned());
        self.findings.extend(findings.into_iter().map(|finding| format!("{check}: {finding}")));
    }

    /// A check that cannot be made here, and what would let it.
    pub(super) fn skip(&mut self, check: &str, why: &str) {
        self.skipped.push(format!("skipped: {check}: {why}"));
    }

    /// Whether nothing was found.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// Everything, one line each; the sum last.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let (checked, found, skipped) =
            (self.checked.len(), self.findings.len(), self.skipped.len());
        let sum = format!("ship: {checked} checks, {found} findings, {skipped} skipped");
        self.findings.iter().chain(&self.skipped).cloned().chain([sum]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_skipped_is_said_and_is_no_finding() {
        let mut report = Report::default();
        report.add("a", []);
        report.skip("b", "no helm");
        assert!(report.is_clean());
        report.add("c", ["wrong".to_owned()]);
        assert!(!report.is_clean());
        let sum = "ship: 2 checks, 1 findings, 1 skipped";
        assert_eq!(report.lines(), ["c: wrong", "skipped: b: no helm", sum]);
    }
}
