//! The road of an order: every event, who said it, how long it waited, and who heard it when.

use oms_proto::oms_admin_v1::{SaidEvent, ServiceAccount};
use prost_types::Timestamp;

use super::{cause::short, gather::Gathered};
use crate::cli::{Column, Table, instant};

/// One event on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hop {
    /// When it was said.
    pub(crate) at: Option<Timestamp>,
    /// Who said it.
    pub(crate) service: String,
    /// What, for example `inventory.reserved`.
    pub(crate) event: String,
    /// From its cause's being heard to its being said, in milliseconds.
    pub(crate) took: Option<i64>,
    /// From its being said to its being at the broker, in milliseconds; `None` while it waits.
    pub(crate) waited: Option<i64>,
    /// Who heard it, and how long after it was said, in milliseconds.
    pub(crate) heard: Vec<(String, i64)>,
}

/// Every event of the order, in the order in which they were said.
pub(crate) fn road(gathered: &Gathered) -> Vec<Hop> {
    let mut hops: Vec<Hop> = gathered
        .accounts()
        .flat_map(|account| account.said.iter().map(|said| hop(gathered, account, said)))
        .collect();
    hops.sort_by_key(|hop| micros(hop.at.as_ref()));
    hops
}

fn hop(gathered: &Gathered, account: &ServiceAccount, said: &SaidEvent) -> Hop {
    let at = said.said_at;
    let since_said = |other: Option<&Timestamp>| between(at.as_ref(), other);
    let heard = gathered.accounts().filter_map(|listener| {
        let heard = listener.heard.iter().find(|heard| heard.event_id == said.event_id)?;
        Some((listener.service.clone(), since_said(heard.heard_at.as_ref())?))
    });
    let cause = account.heard.iter().find(|heard| heard.event_id == said.causation_id);
    // An event that was said again was published again: how long it waited first is not kept.
    let first = said.repeated == 0;
    Hop {
        at,
        service: account.service.clone(),
        event: short(&said.event_type).to_owned(),
        took: cause.and_then(|cause| between(cause.heard_at.as_ref(), at.as_ref())),
        waited: first.then(|| since_said(said.published_at.as_ref())).flatten(),
        heard: heard.collect(),
    }
}

/// The road as a table.
pub(crate) fn table(hops: &[Hop]) -> Table {
    let mut table = Table::new([
        Column::whole("SAID AT").optional(3),
        Column::whole("BY"),
        Column::whole("EVENT"),
        Column::number("TOOK").optional(2),
        Column::number("WAITED").optional(1),
        Column::text("HEARD BY"),
    ]);
    let ms = |millis: Option<i64>| millis.map_or_else(String::new, |ms| format!("{ms} ms"));
    for hop in hops {
        let heard: Vec<String> =
            hop.heard.iter().map(|(service, after)| format!("{service} +{after} ms")).collect();
        table.row([
            instant(hop.at.as_ref()),
            hop.service.clone(),
            hop.event.clone(),
            ms(hop.took),
            ms(hop.waited),
            heard.join(", "),
        ]);
    }
    table
}

fn micros(at: Option<&Timestamp>) -> i64 {
    at.map_or(0, |at| at.seconds * 1_000_000 + i64::from(at.nanos) / 1_000)
}

fn between(from: Option<&Timestamp>, to: Option<&Timestamp>) -> Option<i64> {
    let (from, to) = (from?, to?);
    Some(((micros(Some(to)) - micros(Some(from))) / 1_000).max(0))
}

#[cfg(test)]
mod tests {
    use oms_proto::oms_admin_v1::HeardEvent;

    use super::*;

    fn at(millis: i32) -> Option<Timestamp> {
        Some(Timestamp { seconds: 7, nanos: millis * 1_000_000 })
    }

    fn said(id: &str, cause: &str, when: i32) -> SaidEvent {
        SaidEvent {
            event_id: id.to_owned(),
            event_type: format!("oms.x.{id}.v1"),
            causation_id: cause.to_owned(),
            said_at: at(when),
            published_at: at(when + 3),
            ..SaidEvent::default()
        }
    }

    fn heard(id: &str, when: i32) -> HeardEvent {
        HeardEvent { event_id: id.to_owned(), heard_at: at(when) }
    }

    #[test]
    fn the_road_tells_what_took_long_and_what_waited() {
        let order = ServiceAccount {
            service: "order".into(),
            said: vec![said("submitted", "", 0)],
            heard: vec![heard("reserved", 60)],
            ..ServiceAccount::default()
        };
        let inventory = ServiceAccount {
            service: "inventory".into(),
            said: vec![said("reserved", "submitted", 50)],
            heard: vec![heard("submitted", 10)],
            ..ServiceAccount::default()
        };
        let hops = road(&Gathered::of([inventory, order]));
        let told: Vec<_> =
            hops.iter().map(|hop| (hop.event.as_str(), hop.took, hop.waited)).collect();
        assert_eq!(told, [("x.submitted", None, Some(3)), ("x.reserved", Some(40), Some(3))]);
        assert_eq!(hops[0].heard, [("inventory".to_owned(), 10)]);
        assert_eq!(hops[1].heard, [("order".to_owned(), 10)]);
        let page = table(&hops).render(None);
        assert!(page.contains("x.reserved") && page.contains("order +10 ms"), "{page}");
    }
}
