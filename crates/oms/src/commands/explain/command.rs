//! The command itself.

use clap::Args;
use serde_json::json;

use super::{cause, gather, page};
use crate::cli::{AdminPortsFlags, CODES, ClientFlags, Exit, Failure, Session};

/// Tell where an order stands, which word is owed next, by whom, and why it does not come.
#[derive(Args)]
#[command(after_help = CODES)]
#[command(after_long_help = "Examples:\n  oms explain $ORDER\n  oms explain $ORDER --admin-addr \
                             order:9091,inventory:9191,payment:9291")]
pub(crate) struct ExplainArguments {
    #[command(flatten)]
    flags: ClientFlags,
    /// The order's id.
    #[arg(value_name = "ORDER")]
    order: String,
    #[command(flatten)]
    at: AdminPortsFlags,
}

impl ExplainArguments {
    pub(crate) fn flags(&self) -> ClientFlags {
        self.flags.clone()
    }

    /// Runs it.
    pub(crate) async fn run(self, session: Session) -> Result<(), Failure> {
        let gathered = gather(&session, &self.at, &self.order).await?;
        if gathered.nobody_knows() {
            let message = format!("no service that answers knows order {}", self.order);
            return Err(Failure::new(Exit::NotFound, message)
                .next("`oms order list` names every order")
                .next("or name the admin port of the order service with --admin-addr"));
        }
        let causes = cause::find(&gathered, session.seams.clock.now());
        if session.out.is_json() {
            let services = session.out.value(&gathered.answer())?;
            let causes: Vec<_> = causes
                .iter()
                .map(|cause| json!({ "what": cause.what, "next": cause.next }))
                .collect();
            return session.out.document(&json!({
                "order_id": self.order,
                "causes": causes,
                "not_answering": gathered.missing(),
                "services": services["services"],
            }));
        }
        session.out.page(|shown| page::show(shown, &self.order, &gathered, &causes))
    }
}
