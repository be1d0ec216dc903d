//! A password is in no log line, no error and no print-out, whatever goes wrong with what it is
//! for.

use std::{path::Path, process::Stdio, time::Duration};

use oms_e2e::{Ports, program};
use oms_testkit::eventually;
use tokio::process::Command;

/// The password of everything here.
const CANARY: &str = "canary-6f1c";
const ENDS_WITHIN: Duration = Duration::from_secs(60);

/// `oms-order` with every address on a free port, its data in `folder` and the most talkative log.
fn order(folder: &Path, words: &[&str]) -> Command {
    let mut command = program("oms-order");
    let ports = Ports::free().unwrap();
    let database = format!("sqlite:{}", folder.join("order.db").display());
    command
        .args(words)
        .current_dir(folder)
        .env("OMS_LOG__LEVEL", "trace")
        .env("OMS_ORDER__DATABASE__URL", database)
        .env("OMS_ORDER__GRPC__LISTEN", format!("127.0.0.1:{}", ports.order))
        .env("OMS_ORDER__ORDERS__LISTEN", format!("127.0.0.1:{}", ports.orders))
        .env("OMS_ORDER__ORDERS__TLS__FOLDER", "")
        .env("OMS_ORDER__ADMIN__LISTEN", format!("127.0.0.1:{}", ports.admin))
        // Nobody listens on it.
        .env("OMS_KAFKA__BOOTSTRAP", "127.0.0.1:1");
    command
}

/// Runs it to its end and gives everything it said.
async fn said(mut command: Command) -> (Option<i32>, String) {
    let output = tokio::time::timeout(ENDS_WITHIN, command.output()).await;
    let output = output.expect("it must end by itself").unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

fn keeps_it(what: &str, said: &str) {
    assert!(!said.trim().is_empty(), "{what}: nothing is said");
    let leak = said.lines().find(|line| line.contains(CANARY));
    assert_eq!(leak, None, "{what}");
}

#[tokio::test]
async fn what_is_refused_is_told_without_the_password() {
    let folder = tempfile::tempdir().unwrap();
    let settings = [
        "order.database.url=postgres://oms:CANARY@127.0.0.1:1/order",
        "order.database.url=postgres://oms:CANARY@127.0.0.1:port/order",
        "order.database.url=postgres://oms:CANARY@127.0.0.1:1/order?sslmode=odd",
        "order.database.url=postgres:oms:CANARY@127.0.0.1/order",
        "order.database.url=oms:CANARY@127.0.0.1/order",
        "order.database.url=mysql://oms:CANARY@127.0.0.1/order",
        "order.database.password=CANARY",
        "kafka.properties=sasl.password=CANARY",
        "kafka.properties.no.such.property=CANARY",
        "kafka.properties.security.protocol=CANARY",
        "kafka.properties.acks=CANARY",
        "traces.endpoint=http://oms:CANARY@127.0.0.1:1",
        "traces.endpoint=oms:CANARY@127.0.0.1:1",
    ];
    for setting in settings {
        let setting = setting.replace("CANARY", CANARY);
        let (code, told) = said(order(folder.path(), &["serve", "--set", &setting])).await;
        keeps_it(&setting, &told);
        assert!(matches!(code, Some(2 | 4)), "{setting}: {code:?}: {told}");
    }
    // Words in the wrong place: the value of --set, and a URL behind it.
    for words in [
        &["serve", "--set", "kafka.properties.sasl.password CANARY"][..],
        &["serve", "--set", "log.level=info", "postgres://oms:CANARY@127.0.0.1/order"],
    ] {
        let words: Vec<String> = words.iter().map(|word| word.replace("CANARY", CANARY)).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        for name in ["oms-order", "oms"] {
            let mut command = program(name);
            let first = if name == "oms" { "run" } else { words[0] };
            command.arg(first).args(&words[1..]);
            let (code, told) = said(command).await;
            keeps_it(&format!("{name} {words:?}"), &told);
            assert_eq!(code, Some(2), "{told}");
        }
    }
}

#[tokio::test]
async fn a_broken_file_is_told_without_its_lines() {
    let folder = tempfile::tempdir().unwrap();
    for text in [
        "[order.database]\nurl = \"postgres://oms:CANARY@db/order",
        "[kafka.properties]\n\"sasl.password\" = CANARY",
        "[kafka]\nproperties = \"sasl.password=CANARY\"",
        "[order]\nsasl_password = \"CANARY\"",
    ] {
        let file = folder.path().join("oms.toml");
        std::fs::write(&file, text.replace("CANARY", CANARY)).unwrap();
        let file = file.display().to_string();
        for verb in ["config", "serve"] {
            let (code, told) = said(order(folder.path(), &[verb, "--config", &file])).await;
            keeps_it(text, &told);
            assert_eq!(code, Some(2), "{told}");
        }
    }
}

#[tokio::test]
async fn settings_are_printed_without_the_password() {
    let folder = tempfile::tempdir().unwrap();
    for setting in [
        "order.database.url=postgres://oms:CANARY@db/order",
        "order.database.url=postgres://db/order?user=oms&password=CANARY&sslkey=CANARY",
        "kafka.properties.sasl.password=CANARY",
        "kafka.properties.ssl.key.pem=CANARY",
        "kafka.properties.sasl.oauthbearer.client.secret=CANARY",
    ] {
        let setting = setting.replace("CANARY", CANARY);
        let (code, told) = said(order(folder.path(), &["config", "--set", &setting])).await;
        keeps_it(&setting, &told);
        assert!(code == Some(0) && told.contains("***"), "{setting}: {told}");
        for json in [&["config"][..], &["config", "--json"]] {
            let mut command = program("oms");
            command.args(json).args(["--set", &setting]);
            let (code, told) = said(command).await;
            keeps_it(&setting, &told);
            assert!(code == Some(0) && told.contains("***"), "{setting}: {told}");
        }
    }
}

/// Runs it until its log says these words; then its pages are looked at, too.
async fn watched(folder: &Path, words: &[&str], until: &str) {
    let log = folder.join("log");
    let file = std::fs::File::create(&log).unwrap();
    let mut command = order(folder, words);
    let admin = command.as_std().get_envs().find_map(|(name, value)| {
        (name == "OMS_ORDER__ADMIN__LISTEN").then(|| value.unwrap().to_str().unwrap().to_owned())
    });
    let admin = admin.unwrap().parse().unwrap();
    let mut child =
        command.stdout(Stdio::from(file.try_clone().unwrap())).stderr(file).spawn().unwrap();
    eventually(ENDS_WITHIN, || async {
        let told = std::fs::read_to_string(&log)?;
        Ok(if told.contains(until) { Ok(()) } else { Err(told) })
    })
    .await
    .unwrap();
    let (_, ready) = oms_e2e::get(admin, "/readyz").await.unwrap();
    let (_, metrics) = oms_e2e::get(admin, "/metrics").await.unwrap();
    child.kill().await.unwrap();
    for told in [std::fs::read_to_string(&log).unwrap(), ready, metrics] {
        keeps_it(&words.join(" "), &told);
    }
}

#[tokio::test]
async fn a_server_that_is_away_is_told_without_the_password() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("order.database.url=postgres://oms:{CANARY}@127.0.0.1:1/order");
    let words = ["serve", "--wait-for-database", "--set", &url];
    watched(folder.path(), &words, "waiting: ").await;

    let password = format!("kafka.properties.sasl.password={CANARY}");
    let words = [
        ["--set", "kafka.properties.security.protocol=sasl_plaintext"],
        ["--set", "kafka.properties.sasl.mechanism=PLAIN"],
        ["--set", "kafka.properties.sasl.username=oms"],
        ["--set", "kafka.properties.debug=all"],
        ["--set", &password],
    ];
    let words: Vec<&str> = ["serve"].into_iter().chain(words.into_iter().flatten()).collect();
    watched(folder.path(), &words, "the log cannot be read").await;
}
