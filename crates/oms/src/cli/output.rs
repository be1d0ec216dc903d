//! Where answers go: pages for people, one JSON document for programs.

use std::{
    fmt::Write as _,
    io::{Write as _, stderr, stdout},
    sync::atomic::{AtomicBool, Ordering},
};

use console::Term;
use serde_json::Value;

use super::{ClientFlags, Exit, Failure, Named, Table, flags::terminal_columns, json::Printer};

/// Standard output, as the flags want it.
#[derive(Debug)]
pub(crate) struct Output {
    json: bool,
    verbose: bool,
    width: Option<usize>,
    printer: Printer,
    closed: AtomicBool,
}

/// What a person reads: lines and tables, in order.
#[derive(Debug, Default)]
pub(crate) struct Page {
    text: String,
    width: Option<usize>,
}

impl Page {
    /// A line.
    pub(crate) fn line(&mut self, text: impl std::fmt::Display) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "{text}");
    }

    /// Names and values below each other; empty values are left out.
    pub(crate) fn facts(&mut self, facts: &[(&str, String)]) {
        let shown = facts.iter().filter(|(_, value)| !value.is_empty());
        let widest = shown.clone().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, value) in shown {
            self.line(format_args!("{name:<widest$}  {value}"));
        }
    }

    /// A table that fits.
    pub(crate) fn table(&mut self, table: &Table) {
        self.text.push_str(&table.render(self.width));
    }
}

impl Output {
    /// An output as the flags want it.
    pub(crate) fn new(flags: &ClientFlags) -> Result<Self, Failure> {
        Ok(Self {
            json: flags.json,
            verbose: flags.verbose,
            width: width(flags, &Term::stdout()),
            printer: Printer::new()?,
            closed: AtomicBool::new(false),
        })
    }

    /// Whether a program reads.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Whether who read has gone (`oms events tail | head`): nothing is left to do.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// How wide lines may be.
    pub(crate) fn width(&self) -> Option<usize> {
        self.width
    }

    /// The one answer of a command.
    pub(crate) fn answer<M: Named>(
        &self,
        message: &M,
        page: impl FnOnce(&mut Page),
    ) -> Result<(), Failure> {
        if self.json {
            return self.document(&self.printer.value(message)?);
        }
        self.page(page)
    }

    /// One of many answers: one line of JSON each.
    pub(crate) fn one_of_many<M: Named>(
        &self,
        message: &M,
        page: impl FnOnce(&mut Page),
    ) -> Result<(), Failure> {
        if self.json {
            return self.document_line(&self.printer.value(message)?);
        }
        self.page(page)
    }

    /// The message as JSON, for a document that says more.
    pub(crate) fn value<M: Named>(&self, message: &M) -> Result<Value, Failure> {
        self.printer.value(message)
    }

    /// A document over several lines.
    pub(crate) fn document(&self, value: &Value) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(value)
            .map_err(|error| Failure::new(Exit::Fault, error.to_string()))?;
        self.write(&format!("{text}\n"))
    }

    /// A document on one line.
    pub(crate) fn document_line(&self, value: &Value) -> Result<(), Failure> {
        self.write(&format!("{value}\n"))
    }

    /// What a person reads.
    pub(crate) fn page(&self, page: impl FnOnce(&mut Page)) -> Result<(), Failure> {
        let mut shown = Page { text: String::new(), width: self.width };
        page(&mut shown);
        self.write(&shown.text)
    }

    /// A line on standard error, for who wants to know.
    pub(crate) fn verbose(&self, line: impl FnOnce() -> String) {
        if self.verbose {
            tell(line());
        }
    }

    /// A line on standard error, for people: it is no part of the answer. A program that reads
    /// finds nothing there but the document of an error.
    pub(crate) fn note(&self, line: impl std::fmt::Display) {
        if !self.json {
            tell(line);
        }
    }

    fn write(&self, text: &str) -> Result<(), Failure> {
        let is_read = super::put(&mut stdout().lock(), text)?;
        self.closed.fetch_or(!is_read, Ordering::Relaxed);
        Ok(())
    }
}

fn tell(line: impl std::fmt::Display) {
    // Nobody is left to tell when standard error is closed.
    let _ = writeln!(stderr().lock(), "oms: {line}");
}

/// The bound on a line: what was asked for, else the terminal's width, else none.
fn width(flags: &ClientFlags, terminal: &Term) -> Option<usize> {
    if let Some(width) = flags.width {
        return Some(usize::from(width));
    }
    if !terminal.is_term() {
        return None;
    }
    let said = terminal_columns().filter(|&columns| columns >= 20);
    said.or_else(|| terminal.size_checked().map(|(_, columns)| usize::from(columns)))
}
