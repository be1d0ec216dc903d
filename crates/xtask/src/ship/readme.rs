//! The table of values in the chart's README, from the comments of `values.yaml`.

use std::{fmt::Write, fs, io};

use serde_json::Value;

use crate::tree;

/// The page.
pub(super) const PAGE: &str = "helm/oms/README.md";
const VALUES: &str = "helm/oms/values.yaml";
/// The table stands between these lines.
const MARKS: [&str; 2] =
    ["<!-- values: `cargo xtask ship --write` makes this table -->", "<!-- end of values -->"];

/// A value with its comment.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    path: String,
    told: String,
}

/// What the page must say.
pub(super) fn page() -> io::Result<String> {
    let page = fs::read_to_string(tree::root().join(PAGE))?;
    let values = fs::read_to_string(tree::root().join(VALUES))?;
    let [begin, end] = MARKS;
    let (Some(from), Some(to)) = (page.find(begin), page.find(end)) else {
        return Err(io::Error::other(format!("{PAGE} has no place for the table of values")));
    };
    let defaults: Value = serde_saphyr::from_str(&values).map_err(io::Error::other)?;
    let table = table(&rows(&values), &defaults);
    Ok(format!("{}{begin}\n\n{table}\n{}", &page[..from], &page[to..]))
}

/// Every key with a comment that begins with `# -- `, by its path.
fn rows(values: &str) -> Vec<Row> {
    let (mut rows, mut path, mut told) = (Vec::new(), Vec::<(usize, &str)>::new(), None);
    for line in values.lines() {
        let text = line.trim_start();
        if let Some(comment) = text.strip_prefix("# -- ") {
            told = Some(comment.to_owned());
            continue;
        }
        let key = text.split(':').next().unwrap_or_default();
        if text.starts_with(['#', '-']) || key.is_empty() || !text.contains(':') {
            continue;
        }
        let depth = line.len() - text.len();
        path.retain(|(above, _)| *above < depth);
        path.push((depth, key));
        if let Some(told) = told.take() {
            let keys: Vec<&str> = path.iter().map(|(_, key)| *key).collect();
            rows.push(Row { path: keys.join("."), told });
        }
    }
    rows
}

fn table(rows: &[Row], defaults: &Value) -> String {
    let mut table = "| Value | Default | What it is |\n|---|---|---|\n".to_owned();
    for Row { path, told } in rows {
        let pointer = format!("/{}", path.replace('.', "/"));
        let default = defaults.pointer(&pointer).map_or_else(String::new, Value::to_string);
        // Writing to a String cannot fail.
        let _ = writeln!(table, "| `{path}` | `{}` | {told} |", default.replace('|', "\\|"));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_tells_of_the_key_below_it_by_its_path() {
        let values = "a:\n  # -- The first.\n  b: {c: 1}\n  # no\n  d:\n    # -- The second.\n    \
            e: \"\"\n# -- The third.\nf: [1]\n";
        let rows = rows(values);
        let paths: Vec<&str> = rows.iter().map(|row| row.path.as_str()).collect();
        assert_eq!(paths, ["a.b", "a.d.e", "f"]);
        let table = table(&rows, &serde_saphyr::from_str(values).unwrap());
        assert!(table.contains("| `a.b` | `{\"c\":1}` | The first. |\n"), "{table}");
        assert!(table.ends_with("| `f` | `[1]` | The third. |\n"), "{table}");
    }
}
