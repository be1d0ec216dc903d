//! `deploy/config/oms.toml` lists every setting of the services, with its default.

use std::{collections::BTreeSet, fmt::Debug, path::PathBuf};

use oms_inventory::config::InventoryConfig;
use oms_order::config::OrderConfig;
use oms_payment::config::PaymentConfig;
use oms_service::config::{SECTIONS, Sources, Validate, load_from, show};
use serde::{Serialize, de::DeserializeOwned};

fn file() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/config/oms.toml"))
}

/// Every key of a page of settings, with its section.
fn keys(page: &str) -> BTreeSet<String> {
    let mut section = "";
    let mut keys = BTreeSet::new();
    for line in page.lines() {
        if let Some(header) = line.strip_prefix('[') {
            section = header.trim_end_matches(']');
        } else if let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            keys.insert(format!("{section}.{key}"));
        }
    }
    keys
}

fn listed<T>()
where
    T: Default + Debug + PartialEq + Serialize + DeserializeOwned + Validate,
{
    let sources = Sources { file: Some(file()), ..Sources::default() };
    assert_eq!(load_from::<T>(sources, &SECTIONS).unwrap(), T::default());
    let documented = keys(&std::fs::read_to_string(file()).unwrap());
    let existing = keys(&show(&T::default()));
    let missing: Vec<&String> = existing.difference(&documented).collect();
    assert!(missing.is_empty(), "not in the file: {missing:#?}");
}

#[test]
fn the_file_lists_every_setting_of_order() {
    listed::<OrderConfig>();
}

#[test]
fn the_file_lists_every_setting_of_inventory() {
    listed::<InventoryConfig>();
}

#[test]
fn the_file_lists_every_setting_of_payment() {
    listed::<PaymentConfig>();
}
