//! Which walks there are, and walking them.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use oms_servers::ports;
use tokio::process::Command;

use super::{
    page::{self, Block},
    script, tools,
};
use crate::{guard::Stop, tree};

/// How long a walk may take: it may have to build, and to fetch what a client needs.
const WITHIN: Duration = Duration::from_secs(900);

/// A page that is played from top to bottom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walk {
    /// Its name on the command line.
    pub name: &'static str,
    /// The page, from the root.
    pub page: &'static str,
}

const WALKS: [Walk; 4] = [
    Walk { name: "readme", page: "README.md" },
    Walk { name: "quickstart", page: "docs/quickstart.md" },
    Walk { name: "clients", page: "docs/clients/README.md" },
    Walk { name: "api", page: "docs/api.md" },
];

/// Every port that the pages print, with what moves it: the system's setting, the client's.
const PORTS: [(u16, &str, &str); 6] = [
    (50051, "OMS_ORDER__GRPC__LISTEN", "OMS_ORDER_ADDR"),
    // No command of the client speaks to it.
    (5001, "OMS_ORDER__ORDERS__LISTEN", "OMS_ORDERS_ADDR"),
    (50052, "OMS_INVENTORY__GRPC__LISTEN", "OMS_INVENTORY_ADDR"),
    (50053, "OMS_PAYMENT__GRPC__LISTEN", "OMS_PAYMENT_ADDR"),
    (9092, "OMS_OMS__KAFKA_LISTEN", "OMS_BOOTSTRAP"),
    (9091, "OMS_OMS__ADMIN__LISTEN", "OMS_ADMIN_ADDR"),
];

/// The local CA, as pages print it and as it lies in a walk's place.
const AUTHORITY: &str = "data/tls/ca.pem";

/// Every walk.
#[must_use]
pub fn walks() -> &'static [Walk] {
    &WALKS
}

/// The walks of these names; all when none is named.
///
/// # Errors
/// When there is none of a name.
pub fn chosen(names: &[String]) -> anyhow::Result<Vec<Walk>> {
    for name in names {
        let known = WALKS.iter().any(|walk| walk.name == name);
        ensure!(known, "there is no walk {name}; there are {:?}", WALKS.map(|walk| walk.name));
    }
    let wanted = |walk: &Walk| names.is_empty() || names.iter().any(|name| name == walk.name);
    Ok(WALKS.into_iter().filter(wanted).collect())
}

/// Walks each, with a system of its own on free ports, and says what was done.
///
/// # Errors
/// The first block that fails or prints something else than its page says; a missing program.
pub async fn run(walks: Vec<Walk>, mut say: impl FnMut(String)) -> anyhow::Result<()> {
    let mut stop = Stop::listen()?;
    for walk in walks {
        let begun = Instant::now();
        let text = fs::read_to_string(tree::root().join(walk.page))
            .with_context(|| format!("cannot read {}", walk.page))?;
        let blocks = page::blocks(&text);
        ensure!(blocks.iter().any(|block| block.skipped.is_none()), "{}: no block", walk.page);
        go(walk, &blocks, &mut stop).await?;
        for Block { line, skipped, .. } in &blocks {
            if let Some(why) = skipped {
                say(format!("{}:{line} not walked: {why}", walk.page));
            }
        }
        let (blocks, seconds) = (blocks.len(), begun.elapsed().as_secs());
        say(format!("{}: {blocks} blocks, {seconds} s", walk.page));
    }
    Ok(())
}

async fn go(walk: Walk, blocks: &[Block], stop: &mut Stop) -> anyhow::Result<()> {
    let root = tree::root().canonicalize()?;
    let scratch = root.join("target/walks");
    let place = scratch.join(walk.name);
    match fs::remove_dir_all(&place) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => fs::create_dir_all(&place)?,
    }
    let free = ports::free::<{ PORTS.len() }>()?;
    let mut moved: Vec<_> = PORTS
        .into_iter()
        .zip(free)
        .map(|((printed, ..), here)| (format!("localhost:{printed}"), format!("localhost:{here}")))
        .collect();
    moved.push((AUTHORITY.to_owned(), place.join(AUTHORITY).display().to_string()));
    let script = script::script(blocks, &moved);
    let own = beside_this_program()?;
    let path = tools::provide(&script, &scratch, own, stop).await?;
    let (file, printed) = (place.join("script.sh"), place.join("printed.txt"));
    fs::write(&file, script)?;
    let output = File::create(&printed)?;
    let mut shell = Command::new("bash");
    shell
        .arg(&file)
        .current_dir(&root)
        .env("PATH", path)
        .env("WALK_LOG", place.join("run.log"))
        .env("ARGS", data(&place))
        .envs(PORTS.into_iter().zip(free).flat_map(|((_, system, client), port)| {
            [system, client].map(|name| (name, format!("localhost:{port}")))
        }))
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output);
    stop.run(walk.page, shell, Some(WITHIN)).await?;
    let printed = fs::read(&printed)?;
    script::judge(walk.page, blocks, &String::from_utf8_lossy(&printed))
}

/// What `make run` is told: its databases are the walk's own.
fn data(place: &Path) -> String {
    format!("--data {}", place.join("data").display())
}

/// The programs of this build.
fn beside_this_program() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe()?;
    Ok(program.parent().context("this program is in no folder")?.to_owned())
}
