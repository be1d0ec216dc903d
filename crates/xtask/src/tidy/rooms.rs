//! Who may import whom, between the rooms of a service.

use super::{Finding, paths::named, source::code};
use crate::{File, Tree};

/// The crates that have rooms.
const SERVICES: &[&str] = &["crates/order", "crates/inventory", "crates/payment"];

/// Every room and the rooms it may name. Rooms that wire others together (`lib.rs`, the workers'
/// files) and rooms without rules are not listed.
const ROOMS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("announce", &["domain"]),
    ("store", &["domain", "announce", "migration"]),
    ("reactions", &["domain", "announce", "store"]),
    ("commands", &["domain", "announce", "store"]),
    ("queries", &["domain", "store"]),
    ("api", &["domain", "commands", "queries"]),
];

/// What every room but the domain may name: modules that decide nothing and name no room above.
const LEAVES: &[&str] = &["config", "limits", "metrics", "changes"];

/// What the domain may not name: I/O, transport, time and chance.
const NOT_IN_DOMAIN: &[&str] = &[
    "tonic",
    "sea_orm",
    "tokio",
    "rdkafka",
    "oms_messaging",
    "oms_service",
    "oms_proto",
    "oms_seams",
    "async fn",
    ".await",
    "Utc::now",
    "SystemTime",
    "Uuid::now",
    "Uuid::new",
];

/// What commands may not name: the transport.
const NOT_IN_COMMANDS: &[&str] = &["tonic", "oms_proto"];

/// The room a file of a service belongs to, and how many modules below the root it is.
fn room(file: &File) -> Option<(&str, &str, usize)> {
    let service = SERVICES.iter().find(|service| {
        file.path.strip_prefix(**service).is_some_and(|rest| rest.starts_with("/src/"))
    })?;
    let inside = file.path[service.len()..].strip_prefix("/src/")?.strip_suffix(".rs")?;
    let inside = inside.strip_suffix("/mod").unwrap_or(inside);
    let room = inside.split('/').next()?;
    Some((service, room, inside.split('/').count()))
}

/// Rooms that name a room above or beside them.
pub(super) fn imports(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        let Some((service, room, depth)) = room(file) else { continue };
        let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else { continue };
        for found in named(&code(&file.text), depth) {
            let to = found.module.as_str();
            let is_room =
                ["", ".rs"].iter().any(|end| tree.has(&format!("{service}/src/{to}{end}")));
            let is_leaf = LEAVES.contains(&to) && room != "domain";
            if is_room && to != room && !is_leaf && !allowed.contains(&to) {
                let may = if allowed.is_empty() { "nothing".into() } else { allowed.join(", ") };
                let message = format!("{room} must not name crate::{to}; it may name {may}");
                findings.push(Finding::new("rooms", &file.path, found.line, message));
            }
        }
    }
    findings
}

/// Domain files that name I/O, transport, time or chance.
pub(super) fn pure_domain(tree: &Tree) -> Vec<Finding> {
    mentions(tree, "domain", NOT_IN_DOMAIN, "the domain is pure")
}

/// Command files that name the transport.
pub(super) fn commands_without_transport(tree: &Tree) -> Vec<Finding> {
    mentions(tree, "commands", NOT_IN_COMMANDS, "commands know no transport")
}

fn mentions(tree: &Tree, wanted: &str, words: &[&str], because: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust().filter(|file| room(file).is_some_and(|(_, room, _)| room == wanted)) {
        for (i, line) in code(&file.text).lines().enumerate() {
            if let Some(word) = words.iter().find(|word| has_word(line, word)) {
                let message = format!("`{word}` in {wanted}: {because}");
                findings.push(Finding::new("rooms", &file.path, i + 1, message));
            }
        }
    }
    findings
}

/// Whether `word` stands in `line` and is not the end or the beginning of a longer word.
fn has_word(line: &str, word: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let begins = !word.starts_with(is_word) || !line[..at].ends_with(is_word);
        let ends = !word.ends_with(is_word) || !line[at + word.len()..].starts_with(is_word);
        // `Uuid::now` also forbids `Uuid::now_v7`.
        begins && (ends || word.contains("::"))
    })
}

/// Rooms whose `mod.rs` is an index by nature: the ears, and the list of migrations.
const INDEXES: &[&str] = &["/reactions/mod.rs", "/migration/mod.rs"];

/// `mod.rs` files of a service that hold more than docs, modules and re-exports.
pub(super) fn mod_files(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust().filter(|file| room(file).is_some() && file.path.ends_with("/mod.rs")) {
        let is_index = INDEXES.iter().any(|index| file.path.ends_with(index));
        if is_index {
            continue;
        }
        let source = code(&file.text);
        let body = source.lines().enumerate().find(|(_, line)| {
            let line = line.trim_start_matches("pub(crate) ").trim_start_matches("pub ");
            ["fn ", "async fn ", "struct ", "enum ", "trait ", "impl ", "impl<", "macro_rules! "]
                .iter()
                .any(|item| line.starts_with(item))
        });
        if let Some((i, _)) = body {
            let message = "a room's mod.rs holds docs and re-exports only";
            findings.push(Finding::new("mod-rs", &file.path, i + 1, message));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(file: &str, text: &str) -> Tree {
        let path = format!("crates/order/src/{file}");
        let rooms = ["domain/mod.rs", "store/mod.rs", "api/mod.rs", "announce.rs", "queries.rs"]
            .map(|room| format!("crates/order/src/{room}"));
        let others = rooms.iter().filter(|room| **room != path).map(|room| (room.as_str(), ""));
        Tree::sample(others.chain([(path.as_str(), text)]))
    }

    #[test]
    fn a_domain_that_names_a_room_is_found() {
        for text in ["use crate::store::X;", "use super::super::store::X;"] {
            let findings = imports(&order("domain/order.rs", text));
            assert_eq!(findings.len(), 1, "{text}");
            assert!(findings[0].message.contains("it may name nothing"), "{}", findings[0]);
        }
        assert_eq!(imports(&order("domain/order.rs", "use crate::domain::Money;")), []);
    }

    #[test]
    fn the_api_reaches_the_store_through_queries_and_commands() {
        assert_eq!(imports(&order("api/service.rs", "use crate::{store::A, queries};")).len(), 1);
        assert_eq!(imports(&order("api/service.rs", "use crate::{queries, Host};")), []);
        assert_eq!(imports(&order("store/session.rs", "use crate::api::A;")).len(), 1);
    }

    #[test]
    fn comments_and_the_root_are_free() {
        assert_eq!(imports(&order("domain/order.rs", "// crate::store::X")), []);
        assert_eq!(imports(&order("lib.rs", "use crate::{api, store, domain};")), []);
        assert_eq!(imports(&Tree::sample([("crates/oms/src/domain.rs", "crate::store::x")])), []);
    }

    #[test]
    fn io_in_the_domain_is_found() {
        for text in [
            "use sea_orm::DbErr;",
            "pub async fn pay() {}",
            "x().await;",
            "let id = Uuid::now_v7();",
            "fn f(s: tonic::Status) {}",
        ] {
            assert_eq!(pure_domain(&order("domain/order.rs", text)).len(), 1, "{text}");
        }
        for text in ["//! No tonic here.", "let isotonic = 1;", "fn f(id: Uuid) {}"] {
            assert_eq!(pure_domain(&order("domain/order.rs", text)), [], "{text}");
        }
    }

    #[test]
    fn a_command_that_knows_the_transport_is_found() {
        let findings = commands_without_transport(&order("commands/pay.rs", "use tonic::Status;"));
        assert_eq!(findings.len(), 1);
    }

    #[test]
    fn a_mod_file_with_a_function_is_found() {
        let tree = |name: &str| order(name, "//! Docs.\nmod a;\npub use a::B;\npub fn c() {}\n");
        assert_eq!(mod_files(&tree("store/mod.rs"))[0].line, 4);
        assert_eq!(mod_files(&tree("reactions/mod.rs")), []);
        assert_eq!(mod_files(&order("store/mod.rs", "//! fn x\nmod a;\npub use a::B;\n")), []);
    }
}
