//! The table of refusals: what tests provoke, and the page that tells it.
//!
//! The page `docs/errors.md` has a section for each service. A test provokes every refusal of its
//! service, [`RefusalTable::note`] looks whether each is told as the API promises, and
//! [`RefusalTable::check`] compares the table with the section: page and behaviour cannot part.

use std::{collections::BTreeSet, fmt::Write, path::PathBuf};

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::{ERROR_DOMAIN, TRACE_ID, VIOLATIONS_MAX};

/// A client drops a call whose headers pass this.
const HEADERS_BYTES_MAX: usize = 8 * 1024;

const HEAD: &str = "| Method | Code | Reason | Message | Fields |\n|---|---|---|---|---|\n";

/// The refusals of one service, in the order in which they were provoked.
#[derive(Debug)]
pub struct RefusalTable {
    section: &'static str,
    rows: Vec<String>,
    seen: BTreeSet<String>,
    hidden: Vec<String>,
}

impl RefusalTable {
    /// An empty table of the section with this heading.
    #[must_use]
    pub fn new(section: &'static str) -> Self {
        Self { section, rows: Vec::new(), seen: BTreeSet::new(), hidden: Vec::new() }
    }

    /// Writes `…` for this text (an id, say) in messages: it is another each time.
    pub fn hide(&mut self, text: &str) {
        self.hidden.push(text.to_owned());
    }

    /// Notes what a call was refused with.
    ///
    /// # Panics
    /// When it was not refused, or not as the API promises: with a reason of our domain, a time to
    /// come again where there is one, the trace, and everything that is wrong within the bounds.
    pub fn note<T>(&mut self, method: &str, answer: Result<T, Status>) {
        let Err(status) = answer else { panic!("{method} was not refused") };
        let details = status.get_error_details();
        let info = details.error_info().unwrap_or_else(|| panic!("{method}: no reason: {status}"));
        assert_eq!(info.domain, ERROR_DOMAIN, "{method}: {status}");
        let again = matches!(status.code(), Code::Unavailable | Code::Aborted);
        assert_eq!(details.retry_info().is_some(), again, "{method}: {status}");
        let trace = status.metadata().get(TRACE_ID).map(|id| id.as_bytes().to_vec());
        let is_trace = |id: &[u8]| id.len() == 32 && id.iter().all(u8::is_ascii_hexdigit);
        assert!(trace.is_some_and(|id| is_trace(&id)), "{method}: no trace: {status}");
        let fields = fields(&status, &details);
        let bytes = header_bytes(&status);
        assert!(bytes < HEADERS_BYTES_MAX, "{method}: {bytes} bytes of headers: {status}");
        let mut message = status.message().to_owned();
        for text in &self.hidden {
            message = message.replace(text, "…");
        }
        let row = format!(
            "| {method} | {} | `{}` | `{}` | {fields} |\n",
            code_name(status.code()),
            info.reason,
            message,
        );
        if self.seen.insert(row.clone()) {
            self.rows.push(row);
        }
    }

    /// Compares the table with its section of the page.
    ///
    /// # Panics
    /// When they differ.
    pub fn check(&self) {
        let page = read_page();
        let (_, told, _) = cut_out(&page, self.section);
        let is: BTreeSet<&str> = self.rows.iter().map(|row| row.trim_end()).collect();
        let was: BTreeSet<&str> = told.lines().filter(|line| line.starts_with("| ")).collect();
        let gone: Vec<_> = was.difference(&is).filter(|row| !HEAD.starts_with(**row)).collect();
        let new: Vec<_> = is.difference(&was).collect();
        assert!(
            told == self.text(),
            "docs/errors.md tells section {:?} otherwise than the service.\nonly on the page: \
             {gone:#?}\nnot on the page: {new:#?}\nIf the change is meant, run the ignored test \
             `write_the_page` of this crate and commit the page with the change.",
            self.section,
        );
    }

    /// Writes the table into its section of the page.
    ///
    /// # Panics
    /// When the page has no such section or cannot be written.
    pub fn write(&self) {
        let page = read_page();
        let (before, _, after) = cut_out(&page, self.section);
        let page = format!("{before}{}{after}", self.text());
        std::fs::write(page_path(), page).expect("docs/errors.md");
    }

    fn text(&self) -> String {
        format!("{HEAD}{}", self.rows.concat())
    }
}

/// The fields of the violations; the first of them is the message.
fn fields(status: &Status, details: &ErrorDetails) -> String {
    let Some(bad) = details.bad_request() else { return String::new() };
    let violations = &bad.field_violations;
    assert!((1..=VIOLATIONS_MAX).contains(&violations.len()), "{status}");
    assert_eq!(violations[0].description, status.message());
    let mut text = String::new();
    for violation in violations {
        let between = if text.is_empty() { "" } else { ", " };
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{between}`{}`", violation.field);
    }
    text
}

/// What the status takes of a client's header list, as HTTP/2 counts it.
fn header_bytes(status: &Status) -> usize {
    let response: http::Response<()> = status.clone().into_http();
    response.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum()
}

fn code_name(code: Code) -> String {
    let mut name = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

fn page_path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors.md")
}

fn read_page() -> String {
    std::fs::read_to_string(page_path()).expect("docs/errors.md")
}

/// The page before a section's table, the table, and the page after it.
fn cut_out<'a>(page: &'a str, section: &str) -> (&'a str, &'a str, &'a str) {
    let heading = format!("## {section}\n\n");
    let at = page.find(&heading).unwrap_or_else(|| panic!("docs/errors.md has no {section:?}"));
    let start = at + heading.len();
    let end = page[start..].find("\n## ").map_or(page.len(), |end| start + end);
    (&page[..start], &page[start..end], &page[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_cut_out_between_its_heading_and_the_next() {
        let page = "# P\n\n## a\n\n| x |\n\n## b\n\n| y |\n";
        assert_eq!(cut_out(page, "a"), ("# P\n\n## a\n\n", "| x |\n", "\n## b\n\n| y |\n"));
        assert_eq!(cut_out(page, "b").1, "| y |\n");
        let told = cut_out(page, "a");
        assert_eq!([told.0, told.1, told.2].concat(), page);
    }

    #[test]
    fn codes_are_written_as_the_protocol_spells_them() {
        assert_eq!(code_name(Code::InvalidArgument), "INVALID_ARGUMENT");
        assert_eq!(code_name(Code::Aborted), "ABORTED");
    }
}
