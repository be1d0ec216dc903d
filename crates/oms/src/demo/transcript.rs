//! What the demo prints: a story with a ✓ or ✗ before each expectation.

use std::{fmt::Display, io::Write};

use crate::cli::{counted, put};

/// Writes the story and counts expectations.
#[derive(Debug)]
pub(crate) struct Transcript<W> {
    out: W,
    scenarios: u32,
    held: u32,
    broken: Vec<String>,
    title: String,
}

impl<W: Write> Transcript<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { out, scenarios: 0, held: 0, broken: Vec::new(), title: String::new() }
    }

    /// A line as it is. The story goes on when nobody reads it any more: the exit code tells.
    pub(crate) fn line(&mut self, text: impl Display) -> anyhow::Result<()> {
        put(&mut self.out, &format!("{text}\n"))?;
        Ok(())
    }

    /// Begins a scenario.
    pub(crate) fn scenario(&mut self, title: &str) -> anyhow::Result<()> {
        self.scenarios += 1;
        title.clone_into(&mut self.title);
        let number = self.scenarios;
        self.line(format_args!("\n{number}. {title}"))
    }

    /// Something a customer does.
    pub(crate) fn call(&mut self, method: &str, what: impl Display) -> anyhow::Result<()> {
        self.line(format_args!("     {method:<12} {what}"))
    }

    /// An expectation; the story goes on when it does not hold, the exit code remembers it.
    pub(crate) fn expect(&mut self, what: impl Display, held: bool) -> anyhow::Result<()> {
        if held {
            self.held += 1;
            return self.line(format_args!("   ✓ {what}"));
        }
        self.broken.push(format!("{}: {what}", self.title));
        self.line(format_args!("   ✗ {what}"))
    }

    /// Expects two values to be equal, and shows the actual one when they are not.
    pub(crate) fn expect_eq<T: PartialEq + Display>(
        &mut self,
        what: impl Display,
        actual: T,
        expected: T,
    ) -> anyhow::Result<()> {
        if actual == expected {
            return self.expect(format_args!("{what}: {actual}"), true);
        }
        self.expect(format_args!("{what}: {actual}, expected {expected}"), false)
    }

    /// The closing lines; true when every expectation held.
    pub(crate) fn close(&mut self) -> anyhow::Result<bool> {
        let (scenarios, held, broken) = (self.scenarios, self.held, self.broken.len());
        let (scenarios, held) = (counted(scenarios, "scenario"), counted(held, "expectation"));
        self.line(format_args!("\n{scenarios}: {held} held, {broken} broken"))?;
        for what in std::mem::take(&mut self.broken) {
            self.line(format_args!("   ✗ {what}"))?;
        }
        Ok(broken == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_expectation_is_told_and_remembered() {
        let mut out = Vec::new();
        let mut transcript = Transcript::new(&mut out);
        transcript.scenario("A title").unwrap();
        transcript.expect_eq("status", "PENDING", "CONFIRMED").unwrap();
        transcript.expect("fine", true).unwrap();
        assert!(!transcript.close().unwrap());
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("1. A title\n   ✗ status: PENDING, expected CONFIRMED\n   ✓ fine\n"));
        assert!(text.ends_with("1 broken\n   ✗ A title: status: PENDING, expected CONFIRMED\n"));
    }
}
