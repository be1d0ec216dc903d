//! `oms stock import`: a CSV file becomes receipts, each under a key that its line decides.

use std::{fs, path::PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use oms_inventory::catalogue::{self, CatalogueError, Item};
use oms_proto::oms_v1::{
    ReceiveStockRequest, Stock, inventory_service_client::InventoryServiceClient,
};
use serde_json::json;
use sha2::{Digest, Sha256};
use tonic::transport::Channel;

use crate::cli::{Column, Exit, Failure, Session, Table};

const EXAMPLES: &str = "\
The file has the header sku,qty or sku,qty,note; lines that start with # are ignored. Every
wrong line is told before anything is booked. Each receipt has a key made of --batch and its
SKU, so that an import that broke off is repeated as it was, and the same file again books
nothing (while the service remembers keys: 48 hours, unless it is set otherwise). To book the
same goods in once more, name another batch.

Examples:
  oms stock import deploy/catalog/stock.csv --dry-run
  oms stock import delivery.csv --batch delivery-4711";

/// Book in what a CSV file lists.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ImportArguments {
    /// The CSV file.
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
        let name = self.file.display();
        let text = fs::read_to_string(&self.file)
            .map_err(|error| Failure::new(Exit::Usage, format!("cannot read {name}: {error}")))?;
        let items = catalogue::parse(&text).map_err(|error| refusal(&error, &name))?;
        // A line of nothing makes no receipt; the start-up catalogue has one.
        let items: Vec<Item> = items.into_iter().filter(|item| item.qty > 0).collect();
        if self.dry_run {
            return report(session, &items, None);
        }
        let batch = self.batch.clone().unwrap_or_else(|| self.file_name());
        let client = session.inventory().await?;
        let mut booked = Vec::new();
        let bar = progress(items.len() as u64);
        for item in &items {
            let stock = receive(session, &client, item, &batch).await.map_err(|mut failure| {
                bar.abandon();
                failure.message = format!("{}: {}", item.sku, failure.message);
                if failure.reason.as_deref() == Some("IDEMPOTENCY_KEY_REUSED") {
                    let what = "this batch has booked it with another quantity or note";
                    failure = failure.next(format!("{what}: name another --batch"));
                }
                let (done, all) = (booked.len(), items.len());
                failure.next(format!("{done} of {all} are booked; the same import goes on"))
            })?;
            booked.push(stock);
            bar.inc(1);
        }
        bar.finish_and_clear();
        report(session, &items, Some(&booked))
    }

    /// The file's name as far as it fits a key.
    fn file_name(&self) -> String {
        let name = self.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.chars().map(|c| if c.is_ascii_graphic() { c } else { '_' }).take(64).collect()
    }
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
) -> Result<Stock, Failure> {
    let send = |request| {
        let mut client = client.clone();
        async move { client.receive_stock(request).await }
    };
    let request =
        ReceiveStockRequest { sku: item.sku.clone(), qty: item.qty, note: item.note.clone() };
    let answer = session.change_by(request, &key(batch, &item.sku), send).await?;
    Ok(answer.stock.unwrap_or_default())
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

/// What was booked, or would be.
fn report(session: &Session, items: &[Item], booked: Option<&[Stock]>) -> Result<(), Failure> {
    let units: i128 = items.iter().map(|item| i128::from(item.qty)).sum();
    if session.out.is_json() {
        let lines: Vec<_> = items
            .iter()
            .map(|item| json!({ "sku": item.sku, "qty": item.qty.to_string() }))
            .collect();
        let dry_run = booked.is_none();
        return session.out.document(&json!({ "dry_run": dry_run, "lines": lines }));
    }
    session.out.page(|page| {
        let mut table = Table::new([
            Column::text("SKU"),
            Column::number("RECEIVED"),
            Column::number("AVAILABLE"),
            Column::text("NOTE").optional(1),
        ]);
        for (at, item) in items.iter().enumerate() {
            let now = booked.map_or_else(String::new, |booked| booked[at].available.to_string());
            table.row([item.sku.clone(), item.qty.to_string(), now, item.note.clone()]);
        }
        page.table(&table);
        let done = if booked.is_some() { "booked" } else { "would be booked (dry run)" };
        page.line(format_args!("{} SKUs, {units} units {done}", items.len()));
    })
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
