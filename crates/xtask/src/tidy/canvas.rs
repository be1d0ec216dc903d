//! Each service says on one page what it does.

use super::{Finding, markdown::headings};
use crate::Tree;

const SERVICES: &[&str] = &["crates/order", "crates/inventory", "crates/payment"];

/// What a service's page tells, in any order, as a heading or as the bold first cell of a row;
/// "none" is an answer.
const HEADINGS: &[&str] =
    &["Commands", "Queries", "Events out", "Events in", "Tables", "Settings", "Alerts"];

/// Services without a CANVAS.md, and pages that leave something out.
pub(super) fn pages(tree: &Tree) -> Vec<Finding> {
    let exists = |service: &&&str| tree.has(&format!("{service}/Cargo.toml"));
    SERVICES.iter().filter(exists).flat_map(|service| page(tree, service)).collect()
}

fn page(tree: &Tree, service: &str) -> Vec<Finding> {
    let path = format!("{service}/CANVAS.md");
    let Some(page) = tree.file(&path) else {
        return vec![Finding::new("canvas", path, 1, "a service has a CANVAS.md")];
    };
    let titles = headings(&page.text).into_iter().map(|(_, _, title)| title.to_lowercase());
    let cells =
        page.text.lines().filter_map(|line| Some(line.strip_prefix("| **")?.to_lowercase()));
    let told: Vec<String> = titles.chain(cells).collect();
    let missing = HEADINGS
        .iter()
        .filter(|heading| !told.iter().any(|title| title.starts_with(&heading.to_lowercase())));
    missing
        .map(|heading| {
            let message = format!("does not tell \"{heading}\"; \"none\" is an answer");
            Finding::new("canvas", &path, 1, message)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: (&str, &str) = ("crates/order/Cargo.toml", "");

    #[test]
    fn a_service_without_a_page_is_found() {
        assert_eq!(pages(&Tree::sample([MANIFEST])).len(), 1);
        assert_eq!(pages(&Tree::sample([])), []);
    }

    #[test]
    fn a_page_that_leaves_something_out_is_found() {
        let all: String = HEADINGS.iter().map(|heading| format!("## {heading}\n")).collect();
        let less = all.replace("## Alerts\n", "");
        let page = |text| pages(&Tree::sample([MANIFEST, ("crates/order/CANVAS.md", text)]));
        assert_eq!(page(&all), []);
        assert_eq!(page(&less).len(), 1);
        assert!(page(&less)[0].message.contains("Alerts"));
        let row = format!("{less}| **Alerts on** | everything |\n");
        assert_eq!(page(&row), []);
    }
}
