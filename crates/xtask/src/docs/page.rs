//! A generated page and its copy in the repository.

use std::{fs, io};

use super::events;
use crate::tree;

/// A page generated from code.
#[derive(Clone, Debug)]
pub struct Page {
    /// Where its copy is, from the root.
    pub path: &'static str,
    /// What it must say.
    pub text: String,
}

/// Every generated page.
#[must_use]
pub fn pages() -> Vec<Page> {
    vec![
        Page { path: "docs/events.md", text: events::markdown() },
        Page { path: "docs/states.md", text: oms_order::domain::states_markdown() },
    ]
}

impl Page {
    /// Whether the copy says exactly this.
    ///
    /// # Errors
    /// When the copy cannot be read, other than because there is none.
    pub fn is_current(&self) -> io::Result<bool> {
        match fs::read_to_string(tree::root().join(self.path)) {
            Ok(text) => Ok(text == self.text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Writes the copy.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self) -> io::Result<()> {
        fs::write(tree::root().join(self.path), &self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_differs_or_is_absent_is_not_current() {
        let mut page = Page { path: "docs/none-such.md", text: String::new() };
        assert!(!page.is_current().unwrap());
        page.path = "Cargo.toml";
        assert!(!page.is_current().unwrap());
        page.text = fs::read_to_string(tree::root().join("Cargo.toml")).unwrap();
        assert!(page.is_current().unwrap());
    }
}
