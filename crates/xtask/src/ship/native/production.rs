//! `cargo xtask ship --image FOLDER`: the binaries of an image, as production has them.
//!
//! `oms demo` plays every scenario. Then the chart is played with production values: PostgreSQL
//! takes TLS alone and is verified in full, Kafka takes SASL over TLS. In the end a CA that is not
//! the servers' must be refused.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use oms_seams::{Clock, SystemClock};
use oms_servers::{Certificate, Servers, databases};
use oms_service::{Tls, TlsSettings};
use serde_json::{Value, json};
use tokio::{process::Command, time::timeout};

use super::Stage;
use crate::{
    servers::with_own_servers,
    ship::{chart, objects::Objects, tools},
};

const DEMO_WITHIN: Duration = Duration::from_secs(300);
const REFUSED_WITHIN: Duration = Duration::from_secs(120);
const USER: &str = "oms";
const PASSWORD: &str = "in-the-secret";
/// Where the values that are rendered say that brokers and CA are.
const BROKERS: &str = "kafka-1:9093,kafka-2:9093";
const AUTHORITY: &str = "/etc/oms/trust/ca.crt";

/// Plays every scenario and the chart's production values with the binaries of a folder.
///
/// # Errors
/// What did not go as it must.
pub async fn image(binaries: &Path, rate: u32, say: impl Fn(String)) -> anyhow::Result<()> {
    let helm = tools::HELM.program().await.map_err(anyhow::Error::msg)?;
    let binaries = binaries.canonicalize().with_context(|| binaries.display().to_string())?;
    demo(&binaries).await?;
    say("oms demo: every scenario held".to_owned());
    let scratch = chart::Scratch::new()?;
    let ours = scratch.write("ours.yaml", chart::OURS)?;
    let production = chart::root(chart::CHART).join("values-production.yaml");
    let rendered = chart::render(&helm, &[&production, &ours], &[]).await?;
    let mut objects = Objects::parse(&rendered)?;
    with_own_servers("image", async |servers, stop| {
        let secured = secure(servers, &mut objects, &say).await?;
        let stage = Stage { objects: &objects, binaries: &binaries, rate };
        let mapped = vec![
            (BROKERS.to_owned(), secured.kafka.clone()),
            (AUTHORITY.to_owned(), secured.authority.display().to_string()),
        ];
        let make = async |folder: &Path| secured.make_databases(folder);
        tokio::select! {
            played = stage.play(mapped, make, &say) => played?,
            () = stop.wished() => bail!("interrupted"),
        }
        refuses_another_ca(&binaries, &secured, &say).await
    })
    .await
}

async fn demo(binaries: &Path) -> anyhow::Result<()> {
    let mut command = Command::new(binaries.join("oms"));
    command.arg("demo").kill_on_drop(true);
    let ended = timeout(DEMO_WITHIN, command.output()).await.context("oms demo")??;
    let said = String::from_utf8_lossy(&ended.stdout);
    ensure!(ended.status.success(), "oms demo: {}\n{said}", ended.status);
    Ok(())
}

/// Servers that speak TLS, and who may vouch for them.
struct Secured {
    /// The administrator's URL, which verifies the server.
    postgres: String,
    kafka: String,
    authority: PathBuf,
    another: PathBuf,
}

/// Teaches both servers TLS, and adds the Secrets that the chart names.
async fn secure(
    servers: &Servers,
    objects: &mut Objects,
    say: &impl Fn(String),
) -> anyhow::Result<Secured> {
    let certificates = servers.folder().join("tls");
    let (ours, another) = (certificates.join("ours"), certificates.join("another"));
    let [authority, another] = [authority(&ours)?, authority(&another)?];
    let (chain, key) = (ours.join("server.pem"), ours.join("server.key"));
    let certificate = Certificate { chain: &chain, key: &key };
    servers.postgres.as_ref().context("no PostgreSQL of ours")?.speak_tls(certificate)?;
    let kafka = servers.kafka.as_ref().context("no Kafka of ours")?;
    let kafka = kafka.speak_tls(certificate, USER, PASSWORD)?;
    let postgres = verified(&servers.postgres_url(), &authority);
    say("PostgreSQL speaks TLS alone; Kafka speaks SCRAM-SHA-512 over TLS".to_owned());
    let secured = Secured { postgres, kafka, authority, another };
    objects.0.push(secret("oms-kafka", json!({ "username": USER, "password": PASSWORD })));
    for service in ["order", "inventory", "payment"] {
        let mut urls = secured.urls(service, "")?;
        if service == "payment" {
            urls.extend(secured.urls("gateway", "gateway-")?);
        }
        objects.0.push(secret(&format!("oms-{service}"), Value::Object(urls)));
    }
    Ok(secured)
}

impl Secured {
    fn make_databases(&self, folder: &Path) -> anyhow::Result<()> {
        for service in ["order", "inventory", "payment", "gateway"] {
            databases::create(&self.postgres, "oms_", service, folder)?;
        }
        Ok(())
    }

    /// The keys of a Secret with a database's URLs.
    fn urls(&self, service: &str, prefix: &str) -> anyhow::Result<serde_json::Map<String, Value>> {
        let database = databases::named(&self.postgres, "oms_", service)?;
        let keys = [("url", database.runner), ("owner-url", database.owner)];
        Ok(keys.into_iter().map(|(key, url)| (format!("{prefix}{key}"), json!(url))).collect())
    }
}

/// A CA that vouches for the loopbacks, in a folder of its own.
fn authority(folder: &Path) -> anyhow::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let settings = TlsSettings { folder: folder.display().to_string(), ..TlsSettings::off() };
    let tls = Tls::open("tls", &settings, SystemClock.now())?.context("no certificate")?;
    Ok(tls.authority().context("no CA")?.to_owned())
}

fn verified(url: &str, authority: &Path) -> String {
    format!("{url}?sslmode=verify-full&sslrootcert={}", authority.display())
}

fn secret(name: &str, data: Value) -> Value {
    json!({ "kind": "Secret", "metadata": { "name": name }, "stringData": data })
}

/// Whoever trusts another CA talks to neither server, and says why.
async fn refuses_another_ca(
    binaries: &Path,
    secured: &Secured,
    say: &impl Fn(String),
) -> anyhow::Result<()> {
    let base = secured.postgres.split('?').next().unwrap_or_default();
    let mut migrate = Command::new(binaries.join("oms-order"));
    migrate.arg("migrate").env("OMS_ORDER__DATABASE__URL", verified(base, &secured.another));
    refused(migrate, "certificate", say).await.context("PostgreSQL with another CA")?;

    let mut topics = Command::new(binaries.join("oms"));
    topics.args(["topics", "apply", "--file"]).arg(chart::root("deploy/kafka/topics.yaml"));
    topics.arg(format!("--bootstrap={}", secured.kafka));
    for (name, value) in [
        ("security.protocol", "SASL_SSL"),
        ("sasl.mechanism", "SCRAM-SHA-512"),
        ("sasl.username", USER),
        ("sasl.password", PASSWORD),
        ("ssl.ca.location", &secured.another.display().to_string()),
    ] {
        topics.arg(format!("--kafka-property={name}={value}"));
    }
    refused(topics, "certificate", say).await.context("Kafka with another CA")
}

async fn refused(mut command: Command, named: &str, say: &impl Fn(String)) -> anyhow::Result<()> {
    let ended = timeout(REFUSED_WITHIN, command.kill_on_drop(true).output()).await;
    let ended = ended.context("no answer in time")??;
    let said = [&ended.stdout, &ended.stderr].map(|text| String::from_utf8_lossy(text));
    let said = said.join("\n");
    ensure!(!ended.status.success(), "taken: {said}");
    ensure!(said.to_lowercase().contains(named), "refused, and no word of a {named}: {said}");
    say(format!("another CA is refused: {}", said.trim().lines().last().unwrap_or_default()));
    Ok(())
}
