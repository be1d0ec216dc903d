//! Why the word that is owed does not come: what the accounts tell when they are read together.

use chrono::{DateTime, Utc};
use oms_events::catalogue;
use oms_proto::oms_admin_v1::{OwedWord, SaidEvent, ServiceAccount};
use prost_types::Timestamp;

use super::gather::Gathered;

/// Components that need the broker.
const BY_THE_BROKER: [&str; 2] = ["consumer", "relay"];

/// A cause, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    /// What it is.
    pub(crate) what: String,
    /// What to do next.
    pub(crate) next: String,
}

impl Cause {
    fn new(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { what: what.into(), next: next.into() }
    }
}

/// Every cause that the accounts tell of, the nearest to the root first. None where nothing is
/// owed and nothing waits.
pub(crate) fn find(gathered: &Gathered, now: DateTime<Utc>) -> Vec<Cause> {
    let mut causes = Vec::new();
    causes.extend(troubles(gathered));
    causes.extend(missing(gathered));
    causes.extend(parked(gathered));
    causes.extend(unpublished(gathered, now));
    causes.extend(unread(gathered, now));
    causes.extend(gateway(gathered, now));
    if causes.is_empty() {
        causes.extend(on_its_way(gathered, now));
    }
    causes
}

/// Components that are down; one told by several services is told once.
fn troubles(gathered: &Gathered) -> Vec<Cause> {
    let mut broker = Vec::new();
    let mut causes = Vec::new();
    for account in gathered.accounts() {
        let no_broker = account.troubles.iter().any(|trouble| trouble.component == "broker");
        for trouble in &account.troubles {
            if trouble.component == "broker" {
                broker.push((account.service.as_str(), trouble.message.as_str()));
                continue;
            }
            // Without a broker these are down because of it.
            if no_broker && BY_THE_BROKER.contains(&trouble.component.as_str()) {
                continue;
            }
            let (service, component) = (&account.service, &trouble.component);
            causes.push(Cause::new(
                format!("{service}: its {component} is down: {}", trouble.message),
                format!("look at /readyz and the log of {service}"),
            ));
        }
    }
    if let Some((_, why)) = broker.first() {
        let services: Vec<&str> = broker.iter().map(|(service, _)| *service).collect();
        let what = format!("the broker does not answer {}: {why}", services.join(", "));
        let next = "bring the broker back; what waits is published by itself then";
        causes.insert(0, Cause::new(what, next));
    }
    causes
}

/// Services that no admin port knew of, and that owe something or have not heard something.
fn missing(gathered: &Gathered) -> Vec<Cause> {
    let missing = gathered.missing().into_iter().filter(|service| {
        let owes = |account: &ServiceAccount| account.owed.iter().any(|owed| owed.by == *service);
        gathered.accounts().any(owes)
    });
    let silent: Vec<&str> = gathered.silent().collect();
    let asked = if silent.is_empty() {
        String::new()
    } else {
        format!(" ({} did not answer)", silent.join(", "))
    };
    missing
        .map(|service| {
            Cause::new(
                format!("{service} is stopped, or no admin port asked is its own{asked}"),
                format!("start {service}, or name its admin port with --admin-addr"),
            )
        })
        .collect()
}

fn parked(gathered: &Gathered) -> Vec<Cause> {
    let letters = gathered.accounts().flat_map(|account| &account.dead_letters);
    letters
        .filter(|letter| letter.reason != "parked_behind")
        .map(|letter| {
            let (service, id, event) = (&letter.service, letter.id, short(&letter.event_type));
            let event = if event.is_empty() { "a record" } else { event };
            Cause::new(
                format!(
                    "{service} could not apply {event} and parked it: {}: {}",
                    letter.reason, letter.message
                ),
                format!("oms dlq show {service} {id}; mend the cause; oms dlq redrive"),
            )
        })
        .collect()
}

/// What was said and has not reached the broker.
fn unpublished(gathered: &Gathered, now: DateTime<Utc>) -> Vec<Cause> {
    let waits = |account: &ServiceAccount| {
        let first = account.said.iter().find(|said| said.published_at.is_none())?;
        let (service, event) = (&account.service, short(&first.event_type));
        let since = age(first.said_at.as_ref(), now);
        let why =
            if first.refused.is_empty() { String::new() } else { format!(": {}", first.refused) };
        Some(Cause::new(
            format!("{service} said {event} {since} ago, and the broker has not got it{why}"),
            format!("look at the relay of {service} (/readyz, oms_outbox_oldest_age_seconds)"),
        ))
    };
    gathered.accounts().filter_map(waits).collect()
}

/// What is at the broker and was not applied by a service that has to hear it and owes a word.
fn unread(gathered: &Gathered, now: DateTime<Utc>) -> Vec<Cause> {
    let mut causes = Vec::new();
    for account in gathered.accounts() {
        let debtors = account.owed.iter().filter_map(|owed| gathered.account(&owed.by));
        for debtor in debtors.filter(|debtor| debtor.dead_letters.is_empty()) {
            let unread = account.said.iter().rev().find(|said| {
                said.published_at.is_some()
                    && hears(&debtor.service, &said.event_type)
                    && !applied(debtor, said)
            });
            if let Some(said) = unread {
                let (service, event) = (&debtor.service, short(&said.event_type));
                let since = age(said.published_at.as_ref(), now);
                causes.push(Cause::new(
                    format!("{service} has not read {event}, which was published {since} ago"),
                    format!("look at the consumer of {service} (/readyz, oms_consumer_lag)"),
                ));
            }
        }
    }
    causes
}

fn applied(account: &ServiceAccount, said: &SaidEvent) -> bool {
    account.heard.iter().any(|heard| heard.event_id == said.event_id)
}

fn hears(service: &str, event_type: &str) -> bool {
    catalogue().iter().any(|entry| {
        entry.event_type == event_type
            && entry.listeners.iter().any(|listener| listener.name() == service)
    })
}

fn gateway(gathered: &Gathered, now: DateTime<Utc>) -> Vec<Cause> {
    let owed = gathered.accounts().flat_map(|account| &account.owed);
    owed.filter(|owed| owed.by == "gateway")
        .map(|owed| {
            Cause::new(
                format!("the gateway owes payment {}{}", owed.word, details(owed, now)),
                "payment asks again with the same key; look at the gateway, and at \
                 oms_gateway_call_duration_seconds",
            )
        })
        .collect()
}

fn on_its_way(gathered: &Gathered, now: DateTime<Utc>) -> Vec<Cause> {
    let of = |account: &ServiceAccount, owed: &OwedWord| {
        let (service, by, word) = (&account.service, &owed.by, &owed.word);
        Cause::new(
            format!("{service} waits for {word} from {by}{}", details(owed, now)),
            format!("nothing stands in the way; if it stays so, look at the log of {by}"),
        )
    };
    let accounts = gathered.accounts();
    accounts.flat_map(|account| account.owed.iter().map(|owed| of(account, owed))).collect()
}

/// `, since 12 s: the first call has not been answered`.
fn details(owed: &OwedWord, now: DateTime<Utc>) -> String {
    let since = owed.since.as_ref().map(|at| format!(", since {}", age(Some(at), now)));
    let detail = if owed.detail.is_empty() { String::new() } else { format!(": {}", owed.detail) };
    format!("{}{detail}", since.unwrap_or_default())
}

/// `inventory.reserved` for `oms.inventory.reserved.v1`.
pub(super) fn short(event_type: &str) -> &str {
    let inner = event_type.strip_prefix("oms.").unwrap_or(event_type);
    inner.rsplit_once(".v").map_or(inner, |(inner, _)| inner)
}

/// How long ago, as people say it.
pub(super) fn age(at: Option<&Timestamp>, now: DateTime<Utc>) -> String {
    let at = at.and_then(|at| {
        DateTime::<Utc>::from_timestamp(at.seconds, u32::try_from(at.nanos).unwrap_or_default())
    });
    let millis = at.map_or(0, |at| (now - at).num_milliseconds().max(0));
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..120_000 => format!("{} s", millis / 1_000),
        _ => format!("{} min", millis / 60_000),
    }
}

#[cfg(test)]
mod tests {
    use oms_proto::oms_admin_v1::{DeadLetter, HeardEvent, Trouble};

    use super::*;

    fn at(seconds: i64) -> Option<Timestamp> {
        Some(Timestamp { seconds, nanos: 0 })
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(100, 0).unwrap_or_default()
    }

    fn said(event_type: &str, published: bool) -> SaidEvent {
        SaidEvent {
            event_id: event_type.to_owned(),
            event_type: event_type.to_owned(),
            said_at: at(80),
            published_at: if published { at(81) } else { None },
            ..SaidEvent::default()
        }
    }

    fn owed(word: &str, by: &str) -> OwedWord {
        OwedWord { word: word.into(), by: by.into(), since: at(80), ..OwedWord::default() }
    }

    fn account(service: &str) -> ServiceAccount {
        ServiceAccount { service: service.to_owned(), ..ServiceAccount::default() }
    }

    fn order(published: bool) -> ServiceAccount {
        ServiceAccount {
            owed: vec![owed("reserved or rejected", "inventory")],
            said: vec![said("oms.order.submitted.v1", published)],
            ..account("order")
        }
    }

    fn whats(accounts: impl IntoIterator<Item = ServiceAccount>) -> Vec<String> {
        let found = find(&Gathered::of(accounts), now());
        found.into_iter().map(|cause| cause.what).collect()
    }

    #[test]
    fn a_service_that_is_away_and_owes_a_word_is_the_cause() {
        let found = whats([order(true), account("payment")]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("inventory is stopped"), "{found:?}");
        // One that owes nothing is not.
        assert!(!whats([order(true), account("inventory")]).iter().any(|c| c.contains("payment")));
    }

    #[test]
    fn a_broker_that_is_away_is_told_once_and_what_waits_for_it_too() {
        let trouble = |component: &str| Trouble {
            component: component.into(),
            message: "no answer in 2 s".into(),
        };
        let mut all = [order(false), account("inventory"), account("payment")];
        for account in &mut all {
            account.troubles.extend(["broker", "consumer", "relay"].map(trouble));
        }
        let found = whats(all);
        assert_eq!(
            found,
            [
                "the broker does not answer inventory, order, payment: no answer in 2 s",
                "order said order.submitted 20 s ago, and the broker has not got it"
            ]
        );
    }

    #[test]
    fn a_consumer_that_is_down_though_the_broker_answers_is_told() {
        let mut inventory = account("inventory");
        let message = "has no partitions yet".to_owned();
        inventory.troubles.push(Trouble { component: "consumer".into(), message });
        let found = whats([account("order"), inventory, account("payment")]);
        assert_eq!(found, ["inventory: its consumer is down: has no partitions yet"]);
    }

    #[test]
    fn a_parked_event_is_the_cause_and_what_waits_behind_it_is_not() {
        let letter = |id, reason: &str| DeadLetter {
            service: "inventory".into(),
            id,
            event_type: "oms.order.submitted.v1".into(),
            reason: reason.into(),
            message: "why".into(),
            ..DeadLetter::default()
        };
        let mut inventory = account("inventory");
        inventory.dead_letters = vec![letter(7, "unclassified"), letter(8, "parked_behind")];
        let found = find(&Gathered::of([order(true), inventory, account("payment")]), now());
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].what.contains("could not apply order.submitted"), "{found:?}");
        assert!(found[0].next.starts_with("oms dlq show inventory 7"), "{found:?}");
    }

    #[test]
    fn a_consumer_that_is_behind_is_told_by_the_event_it_has_not_read() {
        let found = whats([order(true), account("inventory"), account("payment")]);
        let behind = "inventory has not read order.submitted, which was published 19 s ago";
        assert_eq!(found, [behind]);
        let mut inventory = account("inventory");
        let event_id = "oms.order.submitted.v1".to_owned();
        inventory.heard.push(HeardEvent { event_id, heard_at: at(82) });
        let found = whats([order(true), inventory, account("payment")]);
        assert_eq!(found, ["order waits for reserved or rejected from inventory, since 20 s"]);
    }

    #[test]
    fn a_gateway_that_is_slow_is_told_with_what_payment_knows() {
        let mut payment = account("payment");
        let detail = "2 calls without an outcome".to_owned();
        payment.owed.push(OwedWord { detail, ..owed("the outcome of a capture", "gateway") });
        let found = whats([account("order"), account("inventory"), payment]);
        let slow = "the gateway owes payment the outcome of a capture, since 20 s: \
                    2 calls without an outcome";
        assert_eq!(found, [slow]);
    }

    #[test]
    fn where_nothing_is_owed_there_is_no_cause() {
        assert!(whats(["order", "inventory", "payment"].map(account)).is_empty());
    }
}
