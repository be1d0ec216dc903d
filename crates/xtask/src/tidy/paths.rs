//! Which modules of its own crate a file names.

/// A first path segment after the crate's root, and the line it stands in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// The segment: `domain` for `crate::domain::Order`.
    pub(super) module: String,
    /// Its line, from 1.
    pub(super) line: usize,
}

/// Every `crate::x` and every `super::…::x` that climbs to the root, in `code` (comments and
/// literals already blanked). `depth` says how many modules below the root the file is: 0 for
/// `lib.rs`, 1 for `domain/mod.rs` and `queries.rs`, 2 for `domain/order.rs`.
pub(super) fn named(code: &str, depth: usize) -> Vec<Named> {
    let mut found = Vec::new();
    for prefix in ["crate::", "super::"] {
        for (at, _) in code.match_indices(prefix) {
            let before = &code[..at];
            if before.ends_with(|c: char| c.is_alphanumeric() || "_:$".contains(c)) {
                continue;
            }
            let mut rest = &code[at + prefix.len()..];
            if prefix == "super::" {
                let mut climbed = 1;
                while let Some(higher) = rest.strip_prefix("super::") {
                    (climbed, rest) = (climbed + 1, higher);
                }
                if climbed < depth.max(1) {
                    continue;
                }
            }
            let line = before.matches('\n').count() + 1;
            for (module, offset) in heads(rest) {
                let line = line + rest[..offset].matches('\n').count();
                found.push(Named { module: module.to_owned(), line });
            }
        }
    }
    found
}

/// The first segments of a path or of a group of paths: `a` of `a::b`, `a` and `c` of
/// `{a::{b}, c}`, with their offsets.
fn heads(path: &str) -> Vec<(&str, usize)> {
    let Some(group) = path.strip_prefix('{') else {
        return head(path, 0).into_iter().collect();
    };
    let (mut heads, mut depth, mut fresh) = (Vec::new(), 1, true);
    for (i, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => break,
            '}' => depth -= 1,
            ',' if depth == 1 => fresh = true,
            c if fresh && depth == 1 && !c.is_whitespace() => {
                heads.extend(head(&group[i..], i + 1));
                fresh = false;
            }
            _ => {}
        }
    }
    heads
}

fn head(path: &str, offset: usize) -> Option<(&str, usize)> {
    let end = path.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(path.len());
    (end > 0).then_some((&path[..end], offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modules(code: &str, depth: usize) -> Vec<(String, usize)> {
        named(code, depth).into_iter().map(|named| (named.module, named.line)).collect()
    }

    #[test]
    fn paths_and_groups_are_read() {
        let code = "use crate::domain::Order;\nuse crate::{\n  store::{a, b},\n  Config,\n};\n\
            let x = crate::api::y();\nmy_crate::z();";
        let expected =
            [("domain", 1), ("store", 3), ("Config", 4), ("api", 6)].map(|(m, l)| (m.into(), l));
        assert_eq!(modules(code, 2), expected);
    }

    #[test]
    fn climbing_to_the_root_counts_as_naming_it() {
        assert_eq!(modules("use super::super::store::X;", 2), [("store".to_owned(), 1)]);
        assert_eq!(modules("use super::store::X;", 1), [("store".to_owned(), 1)]);
        assert_eq!(modules("use super::neighbour;", 2), []);
    }
}
