//! Rust source with comments and literals blanked out, so that rules see code alone.

/// The same text, line for line, with the content of comments, strings and character literals
/// replaced by spaces.
pub(super) fn code(text: &str) -> String {
    let bytes: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < bytes.len() {
        let end = token_end(&bytes, at);
        let blank = end > at + 1;
        for &c in &bytes[at..end] {
            out.push(if blank && c != '\n' { ' ' } else { c });
        }
        at = end;
    }
    out
}

/// Where the comment or literal that begins at `at` ends; `at + 1` for plain code.
fn token_end(text: &[char], at: usize) -> usize {
    let next = text.get(at + 1);
    let in_word = at > 0 && is_word(text[at - 1]);
    match text[at] {
        '/' if next == Some(&'/') => find(text, at, |c| c == '\n'),
        '/' if next == Some(&'*') => block_comment_end(text, at),
        'r' if !in_word && matches!(next, Some('"' | '#')) => raw_string_end(text, at),
        '"' => string_end(text, at + 1, '"'),
        '\'' if next == Some(&'\\') => string_end(text, at + 1, '\''),
        '\'' if text.get(at + 2) == Some(&'\'') => at + 3,
        _ => at + 1,
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn find(text: &[char], from: usize, wanted: impl Fn(char) -> bool) -> usize {
    text[from..].iter().position(|&c| wanted(c)).map_or(text.len(), |offset| from + offset)
}

fn block_comment_end(text: &[char], at: usize) -> usize {
    let (mut depth, mut i) = (0, at);
    while i + 1 < text.len() {
        match (text[i], text[i + 1]) {
            ('/', '*') => depth += 1,
            ('*', '/') if depth == 1 => return i + 2,
            ('*', '/') => depth -= 1,
            _ => {
                i += 1;
                continue;
            }
        }
        i += 2;
    }
    text.len()
}

fn string_end(text: &[char], from: usize, quote: char) -> usize {
    let mut i = from;
    while i < text.len() {
        match text[i] {
            '\\' => i += 2,
            c if c == quote => return i + 1,
            _ => i += 1,
        }
    }
    text.len()
}

/// `r"…"`, `r#"…"#` and so on; `r#name` is plain code.
fn raw_string_end(text: &[char], at: usize) -> usize {
    let open = find(text, at + 1, |c| c != '#');
    let hashes = open - at - 1;
    if text.get(open) != Some(&'"') {
        return at + 1;
    }
    let mut i = open + 1;
    while i < text.len() {
        let closing = text[i + 1..].iter().take_while(|&&c| c == '#').count();
        if text[i] == '"' && closing >= hashes {
            return i + 1 + hashes;
        }
        i += 1;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked_and_code_stays() {
        for (source, expected) in [
            ("a // b\nc", "a     \nc"),
            ("a /* b /* c */ d */ e", "a                   e"),
            ("x(\"crate::y\\\"z\") + 1", "x(             ) + 1"),
            ("r#\"a\"b\"# + c", "         + c"),
            ("'a' 'b: &'static str", "    'b: &'static str"),
            ("'\\'' x", "     x"),
            ("r#type + for_r\"s\"", "r#type + for_r   "),
            ("\"a\nb\" c", "  \n   c"),
        ] {
            assert_eq!(code(source), expected, "{source}");
        }
    }

    #[test]
    fn what_never_ends_ends_with_the_file() {
        for source in ["\"abc", "/* abc", "r##\"abc\"#", "'\\"] {
            assert_eq!(code(source).trim(), "", "{source}");
        }
    }
}
