//! The commands.

use clap::Subcommand;
use oms_proto::oms_v1::{GetPaymentRequest, ListPaymentsRequest, ListPaymentsResponse};

use super::page;
use crate::{
    cli::{Failure, Session},
    commands::paging::{ListFlags, more},
};

/// Commands about payments.
#[derive(Subcommand)]
pub(crate) enum PaymentCommand {
    /// Show the money of an order: captures, refunds, calls to the gateway.
    #[command(
        after_long_help = "Example:\n  oms payment show 0199aaaa-0000-7000-8000-000000000000"
    )]
    Show {
        /// The order's id.
        order: String,
    },
    /// List payments, newest first.
    #[command(after_long_help = "Example:\n  oms payment list --limit 200 --json")]
    List {
        #[command(flatten)]
        list: ListFlags,
    },
}

impl PaymentCommand {
    /// Runs it.
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let client = session.payments().await?;
        match self {
            Self::Show { order } => {
                let request = GetPaymentRequest { order_id: order };
                let ask = |request| {
                    let mut client = client.clone();
                    async move { client.get_payment(request).await }
                };
                let answer = session.ask(request, ask).await.map_err(|failure| {
                    failure.next("payment hears of an order once it is paid or cancelled")
                })?;
                let payment = answer.payment.clone().unwrap_or_default();
                session.out.answer(&answer, |shown| page::show(shown, &payment))
            }
            Self::List { list } => {
                let fetch = async |page_size, page_token| {
                    let request = ListPaymentsRequest { page_size, page_token };
                    let ask = |request| {
                        let mut client = client.clone();
                        async move { client.list_payments(request).await }
                    };
                    let page: ListPaymentsResponse = session.ask(request, ask).await?;
                    Ok((page.payments, page.next_page_token))
                };
                let (payments, next_page_token) = list.collect(fetch).await?;
                let answer = ListPaymentsResponse { payments, next_page_token };
                session.out.answer(&answer, |shown| {
                    shown.table(&page::list(&answer.payments));
                    more(shown, &answer.next_page_token);
                })
            }
        }
    }
}
