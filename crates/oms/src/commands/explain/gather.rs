//! Asks every admin port, and puts together what the services answer.

use std::collections::BTreeMap;

use futures::future::join_all;
use oms_proto::oms_admin_v1::{
    ExplainOrderRequest, ExplainOrderResponse, ServiceAccount,
    explain_service_client::ExplainServiceClient,
};

use crate::{
    cli::{AdminPortsFlags, Exit, Failure, Session, channel},
    system::SERVICES,
};

/// What was answered, and who did not.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gathered {
    accounts: BTreeMap<String, ServiceAccount>,
    /// Admin ports that did not answer, with why.
    silent: Vec<(String, String)>,
}

impl Gathered {
    #[cfg(test)]
    pub(crate) fn of(accounts: impl IntoIterator<Item = ServiceAccount>) -> Self {
        let by_name = |account: ServiceAccount| (account.service.clone(), account);
        Self { accounts: accounts.into_iter().map(by_name).collect(), silent: Vec::new() }
    }

    /// The account of each service that answered, by name.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = &ServiceAccount> {
        self.accounts.values()
    }

    /// The account of a service, if it answered.
    pub(crate) fn account(&self, service: &str) -> Option<&ServiceAccount> {
        self.accounts.get(service)
    }

    /// Services that no admin port knew of.
    pub(crate) fn missing(&self) -> Vec<&'static str> {
        SERVICES.into_iter().filter(|name| !self.accounts.contains_key(*name)).collect()
    }

    /// Admin ports that did not answer.
    pub(super) fn silent(&self) -> impl Iterator<Item = &str> {
        self.silent.iter().map(|(at, _)| at.as_str())
    }

    /// Whether nobody has heard of the order, and nobody failed to look.
    pub(super) fn nobody_knows(&self) -> bool {
        self.accounts().all(|account| {
            let unknown = account.standing.is_empty()
                && account.said.is_empty()
                && account.heard.is_empty()
                && account.dead_letters.is_empty();
            let looked = !account.troubles.iter().any(|one| one.component == "database");
            unknown && looked
        })
    }

    /// All of it as one message.
    pub(super) fn answer(&self) -> ExplainOrderResponse {
        ExplainOrderResponse { services: self.accounts().cloned().collect() }
    }
}

/// Asks all admin ports at once. Ports that do not answer are no failure as long as one does:
/// `oms run` has one for all services.
pub(crate) async fn gather(
    session: &Session,
    at: &AdminPortsFlags,
    order: &str,
) -> Result<Gathered, Failure> {
    let asked = at.admin_addr.iter().map(async |address| {
        let answer = ask(session, address, order).await;
        (address.clone(), answer)
    });
    let mut gathered = Gathered::default();
    let mut first = None;
    for (address, answer) in join_all(asked).await {
        match answer {
            Ok(answer) => {
                for account in answer.services {
                    gathered.accounts.entry(account.service.clone()).or_insert(account);
                }
            }
            Err(failure) if failure.exit == Exit::Unavailable => {
                gathered.silent.push((address, failure.message.clone()));
                first.get_or_insert(failure);
            }
            Err(failure) => return Err(failure),
        }
    }
    match first {
        Some(failure) if gathered.accounts.is_empty() => Err(failure),
        _ => Ok(gathered),
    }
}

async fn ask(
    session: &Session,
    address: &str,
    order: &str,
) -> Result<ExplainOrderResponse, Failure> {
    let client = ExplainServiceClient::new(channel(address, "--admin-addr").await?);
    let ask = |request| {
        let mut client = client.clone();
        async move { client.explain_order(request).await }
    };
    session.ask(ExplainOrderRequest { order_id: order.to_owned() }, ask).await
}
