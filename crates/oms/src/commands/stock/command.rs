//! The commands.

use clap::Subcommand;
use oms_proto::oms_v1::{
    AdjustStockRequest, GetStockRequest, ListStockRequest, ListStockResponse, ReceiveStockRequest,
    Stock,
};

use super::import::ImportArguments;
use crate::{
    cli::{Column, Failure, KeyFlags, Session, Table, instant},
    commands::paging::{ListFlags, more},
};

/// Commands about stock.
#[derive(Subcommand)]
pub(crate) enum StockCommand {
    /// Show the counts of a SKU.
    #[command(after_long_help = "Example:\n  oms stock show SKU-001")]
    Show {
        /// The SKU.
        sku: String,
    },
    /// List all SKUs in order of their name.
    #[command(after_long_help = "Example:\n  oms stock list --limit 1000 --json")]
    List {
        #[command(flatten)]
        list: ListFlags,
    },
    /// Book goods in; a new SKU begins so.
    #[command(after_long_help = "Example:\n  oms stock receive SKU-001 500 --note 'delivery 4711'")]
    Receive {
        /// The SKU.
        sku: String,
        /// Units, 1 to 1,000,000,000.
        #[arg(allow_negative_numbers = true)]
        qty: i64,
        /// For the stock ledger.
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        note: String,
        #[command(flatten)]
        key: KeyFlags,
    },
    /// Correct a count; never below zero available.
    #[command(after_long_help = "Examples:\n  oms stock adjust SKU-001 -3 --reason 'broken in \
                                 transit'\n  oms stock adjust SKU-001 +2 --reason 'counted again'")]
    Adjust {
        /// The SKU.
        sku: String,
        /// Units, with their sign.
        #[arg(allow_negative_numbers = true, value_name = "UNITS")]
        delta: i64,
        /// Why, for the stock ledger.
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        reason: String,
        #[command(flatten)]
        key: KeyFlags,
    },
    /// Book in what a CSV file lists; the same file again changes nothing.
    Import(ImportArguments),
}

impl StockCommand {
    /// Runs it.
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::Show { sku } => show(session, sku).await,
            Self::List { list } => listing(session, &list).await,
            Self::Receive { sku, qty, note, key } => {
                let client = session.inventory().await?;
                let request = ReceiveStockRequest { sku, qty, note };
                let send = |request| {
                    let mut client = client.clone();
                    async move { client.receive_stock(request).await }
                };
                let answer = session.change(request, &key, send).await?;
                session.out.answer(&answer, |page| page.table(&table(&answer.stock)))
            }
            Self::Adjust { sku, delta, reason, key } => {
                let client = session.inventory().await?;
                let request = AdjustStockRequest { sku, delta, reason };
                let send = |request| {
                    let mut client = client.clone();
                    async move { client.adjust_stock(request).await }
                };
                let answer = session.change(request, &key, send).await?;
                session.out.answer(&answer, |page| page.table(&table(&answer.stock)))
            }
            Self::Import(import) => import.run(session).await,
        }
    }
}

async fn show(session: &Session, sku: String) -> Result<(), Failure> {
    let client = session.inventory().await?;
    let ask = |request| {
        let mut client = client.clone();
        async move { client.get_stock(request).await }
    };
    let answer =
        session.ask(GetStockRequest { sku }, ask).await.map_err(|failure| match failure.exit {
            crate::cli::Exit::NotFound => failure.next("`oms stock list` names every SKU"),
            _ => failure,
        })?;
    session.out.answer(&answer, |page| page.table(&table(&answer.stock)))
}

async fn listing(session: &Session, list: &ListFlags) -> Result<(), Failure> {
    let client = session.inventory().await?;
    let fetch = async |page_size, page_token| {
        let ask = |request| {
            let mut client = client.clone();
            async move { client.list_stock(request).await }
        };
        let request = ListStockRequest { page_size, page_token };
        let page: ListStockResponse = session.ask(request, ask).await?;
        Ok((page.stock, page.next_page_token))
    };
    let (stock, next_page_token) = list.collect(fetch).await?;
    let answer = ListStockResponse { stock, next_page_token };
    session.out.answer(&answer, |page| {
        page.table(&table(&answer.stock));
        more(page, &answer.next_page_token);
    })
}

/// Counts as people read them.
fn table<'a>(stock: impl IntoIterator<Item = &'a Stock>) -> Table {
    let mut table = Table::new([
        Column::text("SKU"),
        Column::number("AVAILABLE"),
        Column::number("HELD"),
        Column::number("COMMITTED"),
        Column::number("SHIPPED").optional(1),
        Column::whole("UPDATED").optional(2),
    ]);
    for stock in stock {
        table.row([
            stock.sku.clone(),
            stock.available.to_string(),
            stock.held.to_string(),
            stock.committed.to_string(),
            stock.shipped.to_string(),
            instant(stock.updated_at.as_ref()),
        ]);
    }
    table
}
