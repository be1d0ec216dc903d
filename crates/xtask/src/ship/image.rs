//! What the Dockerfile repeats of other files.

use std::fs;

use anyhow::Context;

use super::policy;
use crate::tree;

/// Where the version of the workspace, which is the image's, stands besides.
const VERSIONED: [(&str, &str, &str); 4] = [
    ("docker-compose.yml", "  image: oms:", "\n"),
    ("deploy/image/Dockerfile", "ARG VERSION=", "\n"),
    ("helm/oms/Chart.yaml", "appVersion: \"", "\""),
    ("Makefile", "VERSION ?= ", "\n"),
];

/// What does not agree.
pub(super) fn check() -> anyhow::Result<Vec<String>> {
    let read = |path: &str| {
        fs::read_to_string(tree::root().join(path)).with_context(|| format!("cannot read {path}"))
    };
    let mut found = Vec::new();
    let mut agree = |what: &str, is: Option<&str>, should: Option<&str>| {
        if is.is_none() || is != should {
            found.push(format!("{what} is {is:?} and should be {should:?}"));
        }
    };
    let dockerfile = read("deploy/image/Dockerfile")?;
    let toolchain = read("rust-toolchain.toml")?;
    let rust = between(&toolchain, "channel = \"", "\"");
    agree("ARG RUST of the Dockerfile", between(&dockerfile, "ARG RUST=", "\n"), rust);
    let manifest = read("Cargo.toml")?;
    let version = between(&manifest, "version = \"", "\"");
    for (path, before, after) in VERSIONED {
        agree(path, between(&read(path)?, before, after), version);
    }
    found.extend(stages(&dockerfile));
    Ok(found)
}

/// Bases that are not pinned, and a last stage that runs as root.
fn stages(dockerfile: &str) -> Vec<String> {
    let froms: Vec<Vec<&str>> = dockerfile
        .lines()
        .filter_map(|line| line.strip_prefix("FROM "))
        .map(|line| line.split_whitespace().collect())
        .collect();
    let names: Vec<&str> = froms.iter().filter_map(|words| words.get(2).copied()).collect();
    let mut found: Vec<String> = froms
        .iter()
        .filter_map(|words| words.first())
        // What an argument names is looked at where the argument is.
        .filter(|base| !names.contains(base) && !base.contains("${"))
        .filter(|base| !policy::is_pinned(base))
        .map(|base| format!("the base {base:?} is not pinned"))
        .collect();
    let base = between(dockerfile, "ARG BASE=", "\n");
    if !base.is_some_and(policy::is_pinned) {
        found.push(format!("the base {base:?} is not pinned"));
    }
    let last = dockerfile.rsplit("\nFROM ").next().unwrap_or_default();
    let user = between(last, "\nUSER ", "\n").and_then(|user| user.split(':').next());
    let id = user.and_then(|user| user.parse::<u32>().ok()).unwrap_or(0);
    if id == 0 {
        found.push("the image does not run as the number of a user that is not root".to_owned());
    }
    found
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let rest = &text[text.find(before)? + before.len()..];
    rest.split(after).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_that_moves_and_an_image_of_root_are_found() {
        let good = "ARG BASE=b:1.3\nFROM rust:${RUST}-slim AS build\nFROM build\nFROM a:1.2\n\
            USER 7:7\n";
        assert_eq!(stages(good), Vec::<String>::new());
        assert_eq!(stages(&good.replace("a:1.2", "a:latest")).len(), 1);
        assert_eq!(stages(&good.replace("b:1.3", "b")).len(), 1);
        assert_eq!(stages(&good.replace("7:7", "root")).len(), 1);
        assert_eq!(stages(&good.replace("USER 7:7\n", "")).len(), 1);
    }
}
