//! Every relative link leads somewhere.

use super::{
    Finding,
    markdown::{anchors, links},
};
use crate::Tree;

/// Links to files or headings that do not exist.
pub(super) fn resolve(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for page in tree.files().iter().filter(|file| file.extension() == "md") {
        for link in links(&page.text) {
            if let Some(problem) = problem(tree, &page.path, &link.target) {
                findings.push(Finding::new("links", &page.path, link.line, problem));
            }
        }
    }
    findings
}

fn problem(tree: &Tree, page: &str, target: &str) -> Option<String> {
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = if file.is_empty() { Some(page.to_owned()) } else { join(page, file) };
    let Some(path) = path.filter(|path| tree.has(path)) else {
        return Some(format!("{target} does not exist"));
    };
    let text = tree.file(&path).filter(|file| file.extension() == "md").map(|file| &file.text);
    let known =
        anchor.is_empty() || text.is_none_or(|text| anchors(text).iter().any(|a| a == anchor));
    (!known).then(|| format!("{path} has no heading #{anchor}"))
}

/// `file` seen from the folder of `page`; nothing when it leaves the repository.
fn join(page: &str, file: &str) -> Option<String> {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in file.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            parts.pop()?;
        } else {
            parts.push(part);
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(page: &str) -> Vec<String> {
        let tree = Tree::sample([
            ("docs/page.md", page),
            ("docs/adr/0001-a.md", "# One\n## Two words\n"),
            ("proto/a.proto", ""),
        ]);
        resolve(&tree).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn links_that_lead_nowhere_are_found() {
        for target in ["gone.md", "../docs/gone", "adr/0001-a.md#three", "#gone", "../../out.md"] {
            assert_eq!(problems(&format!("# Page\n[x]({target})")).len(), 1, "{target}");
        }
    }

    #[test]
    fn links_that_lead_somewhere_are_fine() {
        for target in
            ["adr/0001-a.md", "./adr/0001-a.md#two-words", "adr/", "../proto/a.proto", "#page"]
        {
            assert_eq!(problems(&format!("# Page\n[x]({target})")), [""; 0], "{target}");
        }
    }
}
