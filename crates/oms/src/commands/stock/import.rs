//! `oms stock import`: a CSV file becomes receipts, each under a key that its line decides.

use std::{
    fs::File,
    io::{Read, stdin},
    path::PathBuf,
};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use oms_inventory::catalogue::{self, CatalogueError, Item};
use oms_proto::oms_v1::{ReceiveStockRequest, inventory_service_client::InventoryServiceClient};
use sha2::{Digest, Sha256};
use tonic::transport::Channel;

use super::booked::{Became, Line, report};
use crate::cli::{Answered, Exit, Failure, Session};

/// The largest file, in bytes.
const BYTES_MAX: u64 = 64 * 1024 * 1024;

const EXAMPLES: &str = "\
The file has the header sku,qty or sku,qty,note; lines that start with # are ignored. Every
wrong line is told before anything is booked. Each receipt has a key made of --batch and its
SKU, so that an import that broke off is repeated as it was, and the same file again books
nothing (while the service remembers keys: 48 hours, unless it is set otherwise). To book the
same goods in once more, name another batch.

Examples:
  oms stock import deploy/catalog/stock.csv --dry-run
  oms stock import delivery.csv --batch delivery-4711
  zcat delivery.csv.gz | oms stock import - --batch delivery-4711";

/// Book in what a CSV file lists.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ImportArguments {
    /// The CSV file; - is standard input, which needs --batch.
    file: PathBuf,
    /// Check the file and show what would be booked; nothing is sent.
    #[arg(long)]
    dry_run: bool,
    /// Which delivery this is [default: the file's name].
    #[arg(long, value_name = "NAME", value_parser = batch)]
    batch: Option<String>,
}

/// A batch is part of a key: printable ASCII, and room for the rest.
fn batch(text: &str) -> Result<String, String> {
    let fits = (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    if fits { Ok(text.to_owned()) } else { Err("1 to 64 printable characters".to_owned()) }
}

impl ImportArguments {
    /// Runs it.
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let batch = self.batch_name()?;
        let items = self.items()?;
        if self.dry_run {
            let lines = items.iter().map(|item| line(item, Became::WouldBeBooked, None));
            return report(session, &batch, &lines.collect::<Vec<_>>());
        }
        let client = session.inventory().await?;
        let mut done = Vec::new();
        let bar = progress(items.len() as u64);
        for item in &items {
            let booked = receive(session, &client, item, &batch).await.map_err(|mut failure| {
                bar.abandon();
                failure.message = format!("{}: {}", item.sku, failure.message);
                if failure.reason.as_deref() == Some("IDEMPOTENCY_KEY_REUSED") {
                    let what = "this batch has booked it with another quantity or note";
                    failure = failure.next(format!("{what}: name another --batch"));
                }
                let (done, all) = (done.len(), items.len());
                failure.next(format!("booked so far: {done} of {all}; the same import goes on"))
            })?;
            done.push(booked);
            bar.inc(1);
        }
        bar.finish_and_clear();
        report(session, &batch, &done)
    }

    fn is_standard_input(&self) -> bool {
        self.file.as_os_str() == "-"
    }

    /// What the file says, or everything that is wrong with it.
    fn items(&self) -> Result<Vec<Item>, Failure> {
        let name = match self.file.display() {
            _ if self.is_standard_input() => "standard input".to_owned(),
            name => name.to_string(),
        };
        let wrong = |why: String| Failure::new(Exit::Usage, format!("cannot read {name}: {why}"));
        let bytes = self.read().map_err(|error| wrong(error.to_string()))?;
        if bytes.len() as u64 > BYTES_MAX {
            let most = BYTES_MAX / (1024 * 1024);
            return Err(wrong(format!("more than {most} MiB")).next("import it in parts"));
        }
        let text = String::from_utf8(bytes).map_err(|_| wrong("it is not UTF-8".to_owned()))?;
        let items = catalogue::parse(&text).map_err(|error| refusal(&error, &name))?;
        // A line of nothing makes no receipt; the start-up catalogue has one.
        Ok(items.into_iter().filter(|item| item.qty > 0).collect())
    }

    /// The bytes, at most one more than may be.
    fn read(&self) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        if self.is_standard_input() {
            stdin().lock().take(BYTES_MAX + 1).read_to_end(&mut bytes)?;
        } else {
            File::open(&self.file)?.take(BYTES_MAX + 1).read_to_end(&mut bytes)?;
        }
        Ok(bytes)
    }

    /// Which delivery it is: what was named, else the file's name as far as it fits a key. Two
    /// deliveries from standard input would be one without a name.
    fn batch_name(&self) -> Result<String, Failure> {
        if let Some(batch) = &self.batch {
            return Ok(batch.clone());
        }
        if self.is_standard_input() {
            return Err(Failure::new(Exit::Usage, "standard input has no name: say --batch NAME"));
        }
        let name = self.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(name.chars().map(|c| if c.is_ascii_graphic() { c } else { '_' }).take(64).collect())
    }
}

fn line(item: &Item, became: Became, available: Option<i64>) -> Line {
    Line { sku: item.sku.clone(), qty: item.qty, note: item.note.clone(), became, available }
}

fn refusal(error: &CatalogueError, name: &impl std::fmt::Display) -> Failure {
    let mut failure = Failure::new(Exit::Usage, format!("{name} cannot be imported"))
        .next("mend these lines; nothing was booked");
    failure.violations = error.to_string().lines().map(str::to_owned).collect();
    failure
}

async fn receive(
    session: &Session,
    client: &InventoryServiceClient<Channel>,
    item: &Item,
    batch: &str,
) -> Result<Line, Failure> {
    let send = |request| {
        let mut client = client.clone();
        async move { client.receive_stock(request).await }
    };
    let request =
        ReceiveStockRequest { sku: item.sku.clone(), qty: item.qty, note: item.note.clone() };
    let Answered { answer, replayed } =
        session.change_by(request, &key(batch, &item.sku), send).await?;
    if replayed {
        // What was available then says nothing about now.
        return Ok(line(item, Became::AlreadyBooked, None));
    }
    Ok(line(item, Became::Booked, answer.stock.map(|stock| stock.available)))
}

/// The key of a line: the same SKU of the same batch with another quantity is refused, not booked
/// on top. A SKU may be longer than a key, and need not be ASCII: such a one is named by a digest.
fn key(batch: &str, sku: &str) -> String {
    let plain = sku.len() <= 100 && sku.bytes().all(|byte| byte.is_ascii_graphic());
    let name = if plain { sku.to_owned() } else { format!("{:x}", Sha256::digest(sku)) };
    format!("import:{batch}:{name}")
}

fn progress(lines: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} SKUs, {per_sec}");
    ProgressBar::new(lines).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_decided_by_batch_and_sku() {
        assert_eq!(key("b", "SKU-1"), "import:b:SKU-1");
    }

    #[test]
    fn a_sku_of_any_kind_makes_a_key_that_fits() {
        for sku in ["ä".repeat(128), "x".repeat(256), "a b".to_owned()] {
            let key = key(&"b".repeat(64), &sku);
            assert!(key.len() <= 255 && key.bytes().all(|b| b.is_ascii_graphic()), "{key}");
        }
    }
}
