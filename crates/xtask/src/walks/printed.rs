//! Whether commands printed what the page says.

/// Stands for anything within a line, or for any lines.
const ANYTHING: &str = "…";

/// The first line of `expected` that is not found in what was printed, after those before it.
pub(super) fn missing<'a>(printed: &str, expected: &'a [String]) -> Option<&'a str> {
    let mut lines = printed.lines();
    expected
        .iter()
        .map(|line| line.trim())
        .filter(|line| !line.is_empty() && *line != ANYTHING)
        .find(|wanted| !lines.any(|line| matches(line.trim(), wanted)))
}

/// Whether the line is the wanted one, where `…` stands for anything.
fn matches(line: &str, wanted: &str) -> bool {
    let mut parts = wanted.split(ANYTHING);
    let Some(mut rest) = parts.next().and_then(|first| line.strip_prefix(first)) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ellipsis_stands_for_anything_in_its_place() {
        for (line, wanted, fits) in [
            ("order 019a", "order …", true),
            ("order 019a paid", "order … paid", true),
            ("order 019a paid", "order … sent", false),
            ("a b c d", "a … c …", true),
            ("paid", "pai", false),
            ("ab", "ab…ab", false),
        ] {
            assert_eq!(matches(line, wanted), fits, "{line} {wanted}");
        }
    }

    #[test]
    fn lines_are_found_in_order() {
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(missing("a\n b\nc\n", &lines("a\n\nc")), None);
        assert_eq!(missing("a\nb\nc\n", &lines("c\na")), Some("a"));
    }
}
