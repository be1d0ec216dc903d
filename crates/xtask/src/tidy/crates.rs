//! Rules about each crate as a whole.

use super::{Finding, manifest};
use crate::Tree;

/// Names that say nothing about what is inside, and so collect everything.
const EMPTY_NAMES: &[&str] = &["common", "util", "utils", "types", "shared", "helpers", "misc"];

/// The one crate that may hold `unsafe`: its module of the in-process broker calls what rdkafka
/// does not wrap. The workspace lint still denies it everywhere it is not allowed by name.
const MAY_BE_UNSAFE: &[&str] = &["crates/messaging/src/lib.rs"];

/// Crates whose name says nothing.
pub(super) fn names(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files().iter().filter(|file| file.path.ends_with("/Cargo.toml")) {
        let package = manifest::package(&file.text).unwrap_or_default();
        let folder = file.path.trim_end_matches("/Cargo.toml").rsplit('/').next();
        for name in [Some(package.trim_start_matches("oms-")), folder].into_iter().flatten() {
            if EMPTY_NAMES.contains(&name) {
                let message = format!("no `{name}` crate: name what it is for");
                findings.push(Finding::new("crate-names", &file.path, 1, message));
                break;
            }
        }
    }
    findings
}

/// Crate roots that do not forbid unsafe code.
pub(super) fn no_unsafe_code(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for member in tree.members() {
        let src = format!("{member}/src/");
        for file in tree.rust() {
            let Some(name) = file.path.strip_prefix(&src) else { continue };
            let root = name == "lib.rs" || name == "main.rs" || is_binary(name);
            if root
                && !MAY_BE_UNSAFE.contains(&file.path.as_str())
                && !file.lines().any(|(_, line)| line == "#![forbid(unsafe_code)]")
            {
                let message = "a crate root says #![forbid(unsafe_code)]";
                findings.push(Finding::new("unsafe-code", &file.path, 1, message));
            }
        }
    }
    findings
}

/// `bin/x.rs` or `bin/x/main.rs`.
fn is_binary(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("bin/") else { return false };
    rest.matches('/').count() == 0 || rest.ends_with("/main.rs")
}

/// Crates with several integration-test binaries: each links everything once more.
pub(super) fn one_test_binary(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for member in tree.members() {
        let manifest = format!("{member}/Cargo.toml");
        let text = tree.file(&manifest).map_or("", |file| file.text.as_str());
        let count = |wanted: &str| text.lines().filter(|line| line.trim() == wanted).count();
        if count("autotests = false") > 0 {
            if count("[[test]]") > 1 {
                let message = "one integration-test binary per crate: one [[test]]";
                findings.push(Finding::new("one-test-binary", manifest, 1, message));
            }
            continue;
        }
        let tests = format!("{member}/tests/");
        let roots: Vec<&str> = tree
            .rust()
            .filter_map(|file| file.path.strip_prefix(&tests))
            .filter(|name| match name.split_once('/') {
                None => true,
                Some((_, inner)) => inner == "main.rs",
            })
            .collect();
        for extra in roots.iter().filter(|name| **name != "main.rs").skip(usize::from(
            // With a main.rs every other root is one too many, without it all but the first.
            !roots.contains(&"main.rs"),
        )) {
            let message =
                "one integration-test binary per crate: make it a module of tests/main.rs";
            findings.push(Finding::new("one-test-binary", format!("{tests}{extra}"), 1, message));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: (&str, &str) = ("crates/a/Cargo.toml", "[package]\nname = \"oms-a\"\n");

    #[test]
    fn a_crate_called_utils_is_found_by_folder_and_by_name() {
        for (path, name) in
            [("crates/utils/Cargo.toml", "oms-x"), ("crates/x/Cargo.toml", "oms-utils")]
        {
            let text = format!("[package]\nname = \"{name}\"\n");
            assert_eq!(names(&Tree::sample([(path, text.as_str())])).len(), 1, "{path}");
        }
        assert_eq!(names(&Tree::sample([MANIFEST])), []);
    }

    #[test]
    fn a_root_that_allows_unsafe_code_is_found() {
        let forbid = "//! x\n#![forbid(unsafe_code)]\n";
        let tree = Tree::sample([
            MANIFEST,
            ("crates/a/src/lib.rs", "//! x\n"),
            ("crates/a/src/main.rs", forbid),
            ("crates/a/src/bin/tool.rs", "fn main() {}\n"),
            ("crates/a/src/inner.rs", ""),
        ]);
        let paths: Vec<String> = no_unsafe_code(&tree).into_iter().map(|f| f.path).collect();
        assert_eq!(paths, ["crates/a/src/lib.rs", "crates/a/src/bin/tool.rs"]);
    }

    #[test]
    fn a_second_test_binary_is_found() {
        let count = |names: &[&str]| {
            let paths: Vec<String> = names.iter().map(|n| format!("crates/a/tests/{n}")).collect();
            let samples = paths.iter().map(|path| (path.as_str(), "")).chain([MANIFEST]);
            one_test_binary(&Tree::sample(samples)).len()
        };
        assert_eq!(count(&["main.rs", "grpc.rs"]), 1);
        assert_eq!(count(&["it/main.rs", "it/grpc.rs"]), 0);
        assert_eq!(count(&["it/main.rs", "other/main.rs"]), 1);
        assert_eq!(count(&["main.rs", "support/mod.rs", "it/main.rs"]), 1);
        assert_eq!(count(&["main.rs", "support/mod.rs"]), 0);
    }

    #[test]
    fn binaries_that_are_listed_are_counted() {
        let count = |listed: usize| {
            let text = format!("[package]\nautotests = false\n{}", "[[test]]\n".repeat(listed));
            let paths = [("crates/a/tests/main.rs", ""), ("crates/a/tests/grpc.rs", "")];
            let samples = paths.into_iter().chain([("crates/a/Cargo.toml", text.as_str())]);
            one_test_binary(&Tree::sample(samples)).len()
        };
        assert_eq!(count(1), 0);
        assert_eq!(count(2), 1);
    }
}
