//! Links and headings of a markdown page.

/// A link to something that is not on the web.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Link {
    /// Its target as written, `../a.md#b` for example.
    pub(super) target: String,
    /// Its line, from 1.
    pub(super) line: usize,
}

/// Lines outside fenced blocks, with inline code blanked out.
fn prose(text: &str) -> Vec<(usize, String)> {
    let mut fenced = false;
    let mut lines = Vec::new();
    for (i, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            let parts = line.split('`').enumerate();
            let plain = parts.map(|(n, part)| if n % 2 == 0 { part } else { "code" });
            lines.push((i + 1, plain.collect::<Vec<_>>().join("`")));
        }
    }
    lines
}

/// Every link that is not on the web: `[text](target)` and `[name]: target`.
pub(super) fn links(text: &str) -> Vec<Link> {
    let mut found = Vec::new();
    for (line, prose) in prose(text) {
        let inline = prose.split("](").skip(1).map(|rest| rest.split([')', ' ']).next());
        let named = prose
            .trim_start()
            .strip_prefix('[')
            .and_then(|rest| rest.split_once("]: "))
            .map(|(_, target)| target.split(' ').next());
        for target in inline.chain(named).flatten() {
            let web = target.contains("://") || target.starts_with("mailto:");
            if !web {
                found.push(Link { target: target.to_owned(), line });
            }
        }
    }
    found
}

/// The headings with their level and line.
pub(super) fn headings(text: &str) -> Vec<(usize, usize, String)> {
    let mut fenced = false;
    let mut found = Vec::new();
    for (i, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        let title = line.trim_start_matches('#');
        let level = line.len() - title.len();
        if !fenced && level > 0 && title.starts_with(' ') {
            found.push((i + 1, level, title.trim().to_owned()));
        }
    }
    found
}

/// The anchors of a page's headings, as forges make them.
pub(super) fn anchors(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (_, _, title) in headings(text) {
        let slug: String = title
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect();
        let earlier = found.iter().filter(|anchor| **anchor == slug).count();
        found.push(if earlier == 0 { slug } else { format!("{slug}-{earlier}") });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_read_outside_code() {
        let page = "See [a](b.md#c) and ![p](q.png \"t\").\n`[x](y)`\n```\n[x](y)\n```\n\
            [n]: ../m.md\n[w](https://example.org) [m](mailto:a@example.org)\n";
        let found: Vec<_> = links(page).into_iter().map(|link| (link.target, link.line)).collect();
        let expected = [("b.md#c", 1), ("q.png", 1), ("../m.md", 6)];
        assert_eq!(found, expected.map(|(target, line)| (target.to_owned(), line)));
    }

    #[test]
    fn anchors_are_those_of_a_forge() {
        let page = "# Who may *import* whom?\n## 2. Events\n```\n# no\n```\n## 2. Events\n";
        assert_eq!(anchors(page), ["who-may-import-whom", "2-events", "2-events-1"]);
    }
}
