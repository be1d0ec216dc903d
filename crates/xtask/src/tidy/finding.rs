//! What a rule has to say.

use std::fmt;

/// A place that breaks a rule. Shown as `file:line: [rule] message`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Path from the root.
    pub path: String,
    /// Line, from 1.
    pub line: usize,
    /// Which rule.
    pub rule: &'static str,
    /// What is wrong, and what to do about it.
    pub message: String,
}

impl Finding {
    /// A finding of a rule at a line.
    pub fn new(
        rule: &'static str,
        path: impl Into<String>,
        line: usize,
        message: impl Into<String>,
    ) -> Self {
        Self { path: path.into(), line, rule, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: [{}] {}", self.path, self.line, self.rule, self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_shown_as_editors_read_it() {
        let finding = Finding::new("tabs", "a/b.rs", 3, "a tab");
        assert_eq!(finding.to_string(), "a/b.rs:3: [tabs] a tab");
    }
}
