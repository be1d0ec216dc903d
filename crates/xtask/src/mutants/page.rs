//! The table of mutants in docs/simulator.md.

use std::fs;

use anyhow::Context;

use super::{Found, Mutant};
use crate::tree::root;

/// The page, from the root.
pub const PAGE: &str = "docs/simulator.md";

const BEGIN: &str = "<!-- Written by `make mutants`. -->\n";
const END: &str = "<!-- The end of it. -->\n";

/// Writes the table into the page.
///
/// # Errors
/// When the page cannot be read or written, or has no place for it.
pub fn write(found: &[(Mutant, Found)]) -> anyhow::Result<()> {
    let path = root().join(PAGE);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {PAGE}"))?;
    let page = replaced(&text, &table(found)).with_context(|| format!("{PAGE} has no table"))?;
    fs::write(&path, page).with_context(|| format!("cannot write {PAGE}"))
}

/// The mutants that the page's table names together with a seed, in its order.
///
/// # Errors
/// When the page cannot be read.
pub fn current_names() -> anyhow::Result<Vec<String>> {
    let text = fs::read_to_string(root().join(PAGE))?;
    Ok(names(&text))
}

fn table(found: &[(Mutant, Found)]) -> String {
    let mut table = "| Mutant | What it plants | Seed | What it breaks first |\n".to_owned();
    table.push_str("|---|---|---|---|\n");
    for (Mutant { name, plants, .. }, Found { seed, broken }) in found {
        let broken = anonymous(broken);
        table.push_str(&format!("| `{name}` | {plants} | {seed} | {broken} |\n"));
    }
    table
}

/// The line without its ids, which say nothing on a page.
fn anonymous(broken: &str) -> String {
    let is_id = |word: &str| {
        let word = word.trim_end_matches(|c: char| !c.is_ascii_hexdigit());
        word.len() == 36 && word.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
    };
    let words = broken.split(' ').map(|word| if is_id(word) { "…" } else { word });
    words.collect::<Vec<_>>().join(" ").replace('|', "/")
}

fn replaced(text: &str, table: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}{table}{END}{after}"))
}

fn names(text: &str) -> Vec<String> {
    let table = text.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END));
    let lines = table.map_or("", |(table, _)| table).lines();
    let name = |line: &str| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        let name = cells.next()?.strip_suffix('`')?;
        let seed: Result<u64, _> = cells.nth(1)?.parse();
        seed.is_ok().then(|| name.to_owned())
    };
    lines.filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_written_in_its_place_and_read_again() {
        let mutant = Mutant { name: "a-b".into(), plants: "it".into(), path: "x".into() };
        let id = "019b76db-1f4b-7000-8000-00000000001d";
        let found = Found { seed: 3, broken: format!("I6 {id} is | lost {id}:") };
        let page = format!("# Page\n{BEGIN}old\n{END}rest\n");
        let page = replaced(&page, &table(&[(mutant, found)])).unwrap();
        assert_eq!(names(&page), ["a-b"]);
        assert!(names(&page.replace("| 3 |", "| — |")).is_empty());
        assert!(page.contains("| `a-b` | it | 3 | I6 … is / lost … |"), "{page}");
        assert!(page.starts_with("# Page\n") && page.ends_with("rest\n"));
        assert_eq!(replaced("no place", ""), None);
    }
}
