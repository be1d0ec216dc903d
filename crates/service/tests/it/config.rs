//! Settings from all their layers.

use std::{io::Write, path::PathBuf};

use oms_service::{
    AdminSettings, DatabaseSettings, GrpcSettings, Validate,
    config::{SECTIONS, Sources, keys, load_from, redact_url, show},
};
use oms_telemetry::LogSettings;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Everything {
    log: LogSettings,
    order: Order,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    database: DatabaseSettings,
    grpc: GrpcSettings,
    admin: AdminSettings,
    deadline_ms: u64,
    keep: bool,
    api_secret: String,
    note: Option<String>,
}

impl Default for Order {
    fn default() -> Self {
        Self {
            database: DatabaseSettings::at("sqlite:data/order.db"),
            grpc: GrpcSettings::at("localhost:50051"),
            admin: AdminSettings::at("localhost:9091"),
            deadline_ms: 900_000,
            keep: true,
            api_secret: String::new(),
            note: None,
        }
    }
}

impl Validate for Everything {
    fn violations(&self) -> Vec<String> {
        let Order { database, grpc, admin, .. } = &self.order;
        [
            self.log.violations("log"),
            database.violations("order.database"),
            grpc.violations("order.grpc"),
            admin.violations("order.admin"),
        ]
        .concat()
    }
}

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn read(
    text: &str,
    environment: &[(&str, &str)],
    flags: &[(&str, &str)],
) -> Result<Everything, Vec<String>> {
    let file = file(text);
    let sources = Sources {
        file: Some(file.path().to_owned()),
        environment: pairs(environment),
        overrides: pairs(flags),
    };
    load_from(sources, &SECTIONS).map_err(|error| error.violations().to_vec())
}

#[test]
fn without_any_source_the_defaults_hold() {
    assert_eq!(
        load_from::<Everything>(Sources::default(), &SECTIONS).unwrap(),
        Everything::default()
    );
}

#[test]
fn flags_win_over_environment_over_file_over_defaults() {
    let text = "[order]\ndeadline_ms = 1\nkeep = false\n[order.grpc]\nlisten = 'localhost:1'\n";
    let environment = [
        ("OMS_ORDER__DEADLINE_MS", "2"),
        ("OMS_ORDER__GRPC__LISTEN", "localhost:2"),
        ("OMS_ORDER__API_SECRET", "0123"),
    ];
    let read = read(text, &environment, &[("order.grpc.listen", "localhost:3")]).unwrap();
    assert_eq!(read.order.grpc.listen, "localhost:3");
    assert_eq!(read.order.deadline_ms, 2);
    assert!(!read.order.keep);
    assert_eq!(read.order.api_secret, "0123", "text stays as it was written");
    assert_eq!(read.order.grpc.concurrency_max, Order::default().grpc.concurrency_max);
    assert_eq!(read.order.admin, Order::default().admin);
}

#[test]
fn one_key_of_a_table_leaves_the_tables_other_defaults() {
    let read =
        read("[order.grpc]\nconcurrency_max = 7\n[log]\nformat = 'json'\n", &[], &[]).unwrap();
    assert_eq!(read.order.grpc.listen, "localhost:50051");
    assert_eq!(read.order.grpc.concurrency_max, 7);
    assert_eq!(read.log.level, LogSettings::default().level);
}

#[test]
fn all_unknown_keys_are_told_at_once() {
    let text = "[order]\ndeadlin_ms = 1\n[order.grpc]\nlissten = 'x'\n[ordr]\na = 1\n";
    let found = read(text, &[("OMS_LOG__LEVLE", "info")], &[]).unwrap_err();
    for key in ["order.deadlin_ms", "order.grpc.lissten", "ordr", "log.levle"] {
        assert!(found.contains(&format!("{key}: unknown setting")), "{key}: {found:?}");
    }
    assert_eq!(found.len(), 4);
}

#[test]
fn a_value_for_a_section_is_refused_and_not_lost_behind_the_settings_of_another_layer() {
    let environment = [("OMS_ORDER__GRPC__LISTEN", "localhost:2")];
    for section in ["order", "order.grpc"] {
        let found = read("", &environment, &[(section, "secret")]).unwrap_err();
        assert_eq!(found, [format!("{section}: is a section; set {section}.SETTING")]);
    }
}

#[test]
fn other_services_sections_are_left_alone() {
    let text =
        "[payment]\nanything = 1\n[inventory.grpc]\nlisten = 'x'\n[kafka]\nbootstrap = 'x'\n";
    read(text, &[("OMS_PAYMENT__DATABASE__URL", "x")], &[]).unwrap();
}

/// `OMS_ORDER_PORT` is injected by Kubernetes; `OMS_TEST_POSTGRES` is for tests.
#[test]
fn only_variables_with_two_underscores_are_settings() {
    let foreign =
        [("OMS_ORDER_PORT", "tcp://10.0.0.1:50051"), ("OMS_TEST_POSTGRES", "x"), ("A__B", "c")];
    assert_eq!(read("", &foreign, &[]).unwrap(), Everything::default());
}

#[test]
fn a_value_of_the_wrong_type_names_its_key() {
    for (text, environment) in [
        ("[order]\ndeadline_ms = 'soon'\n", vec![]),
        ("", vec![("OMS_ORDER__DEADLINE_MS", "soon")]),
        ("[order]\ndeadline_ms = -1\n", vec![]),
    ] {
        let found = read(text, &environment, &[]).unwrap_err();
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("order.deadline_ms"), "{found:?}");
    }
    let found = read("[log]\nformat = 'xml'\n", &[], &[]).unwrap_err();
    assert!(found[0].contains("log.format"), "{found:?}");
}

#[test]
fn all_violations_are_told_at_once_each_on_its_line() {
    let text = "[log]\nlevel = 'a=b=c'\n[order.grpc]\nlisten = 'nowhere'\nconcurrency_max = 0\n\
                [order.database]\nurl = 'postgres://u:hunter2@h:x/d'\n";
    let found = read(text, &[], &[]).unwrap_err();
    let at: Vec<_> = found.iter().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(
        at,
        ["log.level", "order.database.url", "order.grpc.listen", "order.grpc.concurrency_max"]
    );
    assert!(
        found.iter().all(|line| !line.contains('\n') && !line.contains("hunter2")),
        "{found:?}"
    );
}

#[test]
fn a_file_that_is_missing_or_broken_is_one_clear_line() {
    let sources = Sources { file: Some(PathBuf::from("no/such.toml")), ..Default::default() };
    let error = load_from::<Everything>(sources, &SECTIONS).unwrap_err();
    assert!(error.to_string().starts_with("no/such.toml: "), "{error}");
    let found = read("[order\n", &[], &[]).unwrap_err();
    assert_eq!(found.len(), 1);
}

/// A line of the file, and a string where a table belongs, may hold a password.
#[test]
fn what_cannot_be_read_is_told_without_being_repeated() {
    for text in [
        "[order.database]\nurl = \"postgres://u:hunter2@h",
        "[order]\napi_secret = hunter2",
        "[order]\ndeadline_ms = \"hunter2\"",
        "order = \"hunter2\"",
        "[order.database]\nurl = \"postgres:u:hunter2@h/d\"",
        "[order.database]\nurl = \"u:hunter2@h/d\"",
        "[order.database]\nurl = \"postgres://u:hunter2@h:port/d\"",
    ] {
        let found = read(text, &[], &[]).unwrap_err();
        let told = found.join("\n");
        assert!(found.len() == 1 && !told.is_empty(), "{text}: {told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
    let found = read("[order]\ndeadline_ms = 1\nkeep = hunter2", &[], &[]).unwrap_err();
    assert!(found[0].contains("line 3, column 8"), "where it is must be told: {found:?}");
    assert!(found[0].contains(".tmp"), "which file it is must be told: {found:?}");
    let found = read("[order]\ndeadline_ms = 'soon'", &[], &[]).unwrap_err();
    assert!(found[0].contains("order.deadline_ms"), "which key it is must be told: {found:?}");
}

#[test]
fn what_is_shown_can_be_read_back_and_holds_no_secret() {
    let mut settings = Everything::default();
    settings.order.database.url = "postgres://oms:hunter2@db/order?sslpassword=hunter2".to_owned();
    settings.order.api_secret = "hunter2".to_owned();
    let page = show(&settings);
    assert!(!page.contains("hunter2"), "{page}");
    assert!(page.contains("url = \"postgres://oms:***@db/order?sslpassword=***\""), "{page}");
    assert!(page.contains("[order.grpc]\n"), "{page}");
    assert!(page.contains("# note is not set"), "{page}");
    let again = read(&page, &[], &[]).unwrap();
    assert_eq!(again.order.grpc, settings.order.grpc);
    assert_eq!(show(&again), page);
}

#[test]
fn passwords_are_hidden_wherever_a_url_can_hold_them() {
    for (url, shown) in [
        ("postgres://u:p@h/d", "postgres://u:***@h/d"),
        ("postgres://u:p@p@h/d", "postgres://u:***@h/d"),
        ("postgres://u:p/with?odd#signs@h/d", "postgres://u:***@h/d"),
        ("postgres://u@h/d", "postgres://u@h/d"),
        ("postgres://h/d?user=u&password=p&x=1", "postgres://h/d?user=u&password=***&x=1"),
        ("postgres://h/d?sslkey=p", "postgres://h/d?sslkey=***"),
        ("postgres:u:p@h/d", "postgres:***@h/d"),
        ("u:p@h/d", "u:***@h/d"),
        ("sqlite:data/order.db", "sqlite:data/order.db"),
        ("sqlite:data/a@b.db", "sqlite:data/a@b.db"),
        ("localhost:50051", "localhost:50051"),
    ] {
        assert_eq!(redact_url(url), shown);
    }
}

#[test]
fn the_documented_file_agrees_with_the_defaults() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/config/oms.toml");
    let sources = Sources { file: Some(path.into()), ..Default::default() };
    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    struct Log {
        log: LogSettings,
    }
    impl Validate for Log {
        fn violations(&self) -> Vec<String> {
            self.log.violations("log")
        }
    }
    assert_eq!(load_from::<Log>(sources, &SECTIONS).unwrap(), Log::default());
    assert_eq!(keys(&Log::default()), ["log.format", "log.level"]);
    let text = std::fs::read_to_string(path).unwrap();
    for key in ["\nformat = ", "\nlevel = "] {
        assert!(text.contains(key), "{key}");
    }
}

/// Settings with names that are somebody else's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Broker {
    kafka: Properties,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Properties {
    properties: std::collections::BTreeMap<String, String>,
}

impl Validate for Broker {
    fn violations(&self) -> Vec<String> {
        Vec::new()
    }
}

#[test]
fn a_property_with_dots_in_its_name_is_one_key_from_every_source() {
    let file = file("[kafka.properties]\n'client.id' = 'file'\n'sasl.password' = 'file'\n");
    let sources = Sources {
        file: Some(file.path().to_owned()),
        environment: pairs(&[
            ("OMS_KAFKA__PROPERTIES__SASL__PASSWORD", "environment"),
            ("OMS_KAFKA__PROPERTIES__SECURITY__PROTOCOL", "environment"),
        ]),
        overrides: pairs(&[("kafka.properties.security.protocol", "flag")]),
    };
    let read = load_from::<Broker>(sources, &SECTIONS).unwrap().kafka.properties;
    let expected =
        [("client.id", "file"), ("sasl.password", "environment"), ("security.protocol", "flag")];
    assert_eq!(read, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
}
