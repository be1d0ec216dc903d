//! Default values: the development servers, as servers of this machine.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, ensure};
use oms_servers::Servers;
use tokio::{process::Command, time::timeout};

use super::{Stage, plan::Administrator};
use crate::ship::objects::Objects;

const INIT_WITHIN: Duration = Duration::from_secs(120);

/// Plays it.
pub(super) async fn play(
    stage: &Stage<'_>,
    servers: &Servers,
    say: &impl Fn(String),
) -> anyhow::Result<()> {
    let administrator = Administrator::of(&servers.postgres_url())?;
    let mapped = vec![
        ("oms-kafka:9092".to_owned(), servers.kafka_address()),
        ("oms-postgresql:5432".to_owned(), administrator.address.clone()),
    ];
    let make = async |folder: &Path| make_databases(stage.objects, &administrator, folder).await;
    stage.play(mapped, make, say).await
}

/// What the image of PostgreSQL does on an empty folder: the chart's own script.
async fn make_databases(
    objects: &Objects,
    administrator: &Administrator,
    folder: &Path,
) -> anyhow::Result<()> {
    let map = objects.named("ConfigMap", "oms-postgresql").context("no ConfigMap")?;
    for file in ["init.sh", "service.sql"] {
        let text = map["data"][file].as_str().with_context(|| format!("no {file}"))?;
        fs::write(folder.join(file), text)?;
    }
    let secret = objects.named("Secret", "oms-postgresql").context("no Secret")?;
    let password = secret["stringData"]["password"].as_str().context("no password")?;
    let Administrator { user, password: own, address } = administrator;
    let (host, port) = address.split_once(':').context("an address without a port")?;
    let mut init = Command::new("bash");
    init.arg(folder.join("init.sh"))
        .env("OMS_SERVICE_SQL", folder.join("service.sql"))
        .envs([("OMS_PASSWORD", password), ("POSTGRES_USER", user)])
        .envs([("PGHOST", host), ("PGPORT", port), ("PGPASSWORD", own)]);
    let ended =
        timeout(INIT_WITHIN, init.kill_on_drop(true).output()).await.context("init.sh")??;
    let said = String::from_utf8_lossy(&ended.stderr);
    ensure!(ended.status.success(), "init.sh: {}\n{said}", ended.status);
    Ok(())
}
