//! `oms order create`, and the whole way to CONFIRMED in one command.

use std::time::Duration;

use clap::Args;
use oms_proto::oms_v1::CreateOrderRequest;

use super::{
    change, item,
    item::Line,
    wait::{self, Shown, Wanted},
};
use crate::cli::{Exit, Failure, KeyFlags, Session, again, status_word};

/// What the payment's key has more than that of the creation.
const PAY: &str = "-pay";
/// Characters of a key at most, as services take them.
const KEY_MAX: usize = 255;

/// What to buy, and for whom.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  oms order create --customer customer-123 --item SKU-001:2@100.00 --item SKU-002@50.00
  oms order create --customer customer-123 --item SKU-001@100.00 --pay --wait
  ORDER=$(oms order create --customer c-1 --currency JPY --item SKU-003:5@1200 --quiet)")]
pub(crate) struct CreateArguments {
    /// Who orders.
    #[arg(long, value_name = "ID")]
    customer: String,
    /// A line of the order; QTY is 1 when left out. Repeat it for more lines.
    #[arg(long, value_name = "SKU:QTY@PRICE", required = true, value_parser = item::line)]
    item: Vec<Line>,
    /// ISO 4217 code of all prices.
    #[arg(long, value_name = "CODE", default_value = "USD")]
    currency: String,
    /// Your own reference; `oms order list --reference` finds it again.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    reference: String,
    /// Print the order's id and nothing else; with --wait, once it is known what became of it.
    #[arg(long, short, conflicts_with = "json")]
    quiet: bool,
    #[command(flatten)]
    key: KeyFlags,
    #[command(flatten)]
    then: Then,
}

/// What to do with the new order.
#[derive(Args)]
struct Then {
    /// Pay it at once.
    #[arg(long, help_heading = "Then")]
    pay: bool,
    /// A payment method of the gateway [default: pm_card_visa].
    #[arg(long, value_name = "METHOD", default_value = "", hide_default_value = true)]
    #[arg(requires = "pay", help_heading = "Then")]
    method: String,
    /// Wait until it is confirmed or has ended, and show it.
    #[arg(long, requires = "pay", help_heading = "Then")]
    wait: bool,
    /// How long to wait at most.
    #[arg(long, value_name = "DURATION", default_value = "30s", help_heading = "Then")]
    #[arg(value_parser = humantime::parse_duration, requires = "wait")]
    timeout: Duration,
}

impl CreateArguments {
    /// Runs it.
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let items = item::items(&self.item, &self.currency).map_err(|wrong| {
            let message = wrong.first().cloned().unwrap_or_default();
            Failure { violations: wrong, ..Failure::new(Exit::Usage, message) }
        })?;
        let request = CreateOrderRequest {
            customer_id: self.customer.clone(),
            currency: self.currency.clone(),
            items,
            reference: self.reference.clone(),
        };
        let key = self.base_key(session)?;
        let client = session.orders().await?;
        let send = |request| {
            let mut client = client.clone();
            async move { client.create_order(request).await }
        };
        let created = session.change_by(request, &key, send).await;
        let created = created.map_err(|failure| failure.unless_known(|| again(&key)))?.answer;
        let order = created.order_id.clone();
        let ended = if self.then.pay {
            self.pay(session, &order, &format!("{key}{PAY}")).await
        } else {
            session.out.answer(&created, |page| {
                if self.quiet {
                    return page.line(&order);
                }
                page.line(format_args!("{order}  {}", status_word(created.status)));
                page.line(format_args!("next: oms order pay {order} --wait"));
            })
        };
        // What is created stays: whoever must go on by hand needs its id, also when it could not be
        // printed.
        ended.map_err(|failure| failure.next(format!("the order exists: `oms order show {order}`")))
    }

    /// One key decides both calls, so that the whole command can be repeated with it.
    fn base_key(&self, session: &Session) -> Result<String, Failure> {
        let key = session.key(&self.key);
        if self.then.pay && key.len() + PAY.len() > KEY_MAX {
            let most = KEY_MAX - PAY.len();
            let why = format!("--key: at most {most} characters with --pay, which adds {PAY}");
            return Err(Failure::new(Exit::Usage, why));
        }
        Ok(key)
    }

    async fn pay(&self, session: &Session, order: &str, key: &str) -> Result<(), Failure> {
        let method = &self.then.method;
        let paid = change::start(session, order, method, key, None).await;
        // The order exists: to create it again without its key would buy a second time.
        let paid = paid.map_err(|failure| {
            failure.unless_known(|| {
                let with =
                    if method.is_empty() { String::new() } else { format!(" --method {method}") };
                format!("pay it once and for all: `oms order pay {order}{with} --key {key}`")
            })
        })?;
        if self.then.wait {
            let shown = if self.quiet { Shown::Id } else { Shown::Whole };
            let (wanted, timeout) = (Wanted::Confirmed, self.then.timeout);
            let waited = wait::until(session, order, wanted, timeout, shown).await;
            // It is paid: nothing but the waiting may be repeated.
            return waited.map_err(|failure| match failure.code {
                Some(_) => failure.unless_known(|| format!("`oms order wait {order}`")),
                None => failure,
            });
        }
        session.out.answer(&paid, |page| {
            if self.quiet {
                return page.line(order);
            }
            page.line(format_args!("{order}  {}, the saga runs", status_word(paid.status)));
            page.line(format_args!("next: oms order wait {order}"));
        })
    }
}
