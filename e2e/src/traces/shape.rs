//! What a trace must hold, neither less nor more: each event with its hop, by the catalogue.

use anyhow::{Context, ensure};
use oms_events::{Entry, catalogue};
use oms_testkit::{SeenSpan, SpanKind};

use super::{Tree, tree::short};

/// The trace of one customer action.
#[derive(Clone, Debug)]
pub struct Shape {
    /// The call that began it.
    pub root: &'static str,
    /// The command that it is.
    pub command: &'static str,
    /// The events that are said in it, `order.submitted`.
    pub events: &'static [&'static str],
    /// Calls to the gateway, each once: `capture`, `refund`.
    pub gateway: &'static [&'static str],
}

impl Shape {
    /// What is not there yet.
    pub(super) fn missing_in(&self, tree: &Tree) -> Vec<String> {
        let mut missing = tree.orphans();
        if tree.roots() == 0 {
            missing.push("the root".to_owned());
        }
        let absent = |name: &str| tree.named(name).is_empty();
        missing.extend(absent(self.command).then(|| self.command.to_owned()));
        for call in self.gateway {
            let both = [format!("gateway {call}"), format!("record {call}")];
            missing.extend(both.into_iter().filter(|name| absent(name)));
        }
        for entry in self.events.iter().filter_map(|event| entry(event)) {
            let (event, hop) = (short(entry.event_type), Hop::of(tree, &entry));
            for (step, there) in
                [("create", !hop.created.is_empty()), ("send", !hop.sent.is_empty())]
            {
                missing.extend((!there).then(|| format!("{step} {event}")));
            }
            for listener in entry.listeners {
                let name = listener.name();
                if !hop.processed.iter().any(|span| is_of(span, name)) {
                    missing.push(format!("{name}: process {event}"));
                }
            }
        }
        missing
    }

    /// Whether all is there, once and in order, and nothing besides.
    ///
    /// # Errors
    /// What is not so.
    pub fn judge(&self, tree: &Tree) -> anyhow::Result<()> {
        let missing = self.missing_in(tree);
        ensure!(missing.is_empty(), "{} missing", missing.join(", "));
        ensure!(tree.roots() == 1, "{} roots: {tree:#?}", tree.roots());
        let root = tree.root().context("no root")?;
        ensure!(root.name == self.root && root.kind == SpanKind::Server, "the root is {root:?}");
        tree.is_in_order()?;
        let (mut services, mut hops) = (vec!["oms-order"], 0);
        for event in self.events {
            let entry = entry(event).with_context(|| format!("there is no event {event}"))?;
            hops += Hop::of(tree, &entry).check(tree, &entry)?;
            services.extend([entry.speaker].iter().chain(entry.listeners).map(|service| {
                ["oms-order", "oms-inventory", "oms-payment"]
                    .into_iter()
                    .find(|name| name.ends_with(service.name()))
                    .unwrap_or_default()
            }));
        }
        services.sort_unstable();
        services.dedup();
        ensure!(tree.services() == services, "spans of {:?}, not {services:?}", tree.services());
        let all = ["create", "send", "process"].map(|step| tree.named(step).len());
        let all: usize = all.iter().sum();
        ensure!(all == hops, "{all} spans of hops where {hops} belong: {tree:#?}");
        for call in self.gateway {
            for name in [format!("gateway {call}"), format!("record {call}")] {
                let times = tree.named(&name).len();
                ensure!(times == 1, "{name} is there {times} times");
            }
        }
        let calls = tree.named("gateway").len();
        ensure!(calls == self.gateway.len(), "{calls} calls to the gateway");
        // The command's own, and that of each reaction that was a transaction's first.
        let without = services.iter().filter(|service| {
            !tree.named("transaction").iter().any(|span| span.service == **service)
        });
        let without: Vec<_> = without.collect();
        ensure!(without.is_empty(), "no transaction of {without:?}");
        Ok(())
    }
}

fn entry(event: &str) -> Option<Entry> {
    catalogue().into_iter().find(|entry| short(entry.event_type) == event)
}

fn is_of(span: &SeenSpan, service: &str) -> bool {
    span.service.strip_prefix("oms-") == Some(service)
}

/// The spans of one event.
struct Hop<'a> {
    created: Vec<&'a SeenSpan>,
    sent: Vec<&'a SeenSpan>,
    processed: Vec<&'a SeenSpan>,
}

impl<'a> Hop<'a> {
    fn of(tree: &'a Tree, entry: &Entry) -> Self {
        let step = |name| {
            let mut spans = tree.named(name);
            spans.retain(|span| span.attribute("oms.event_type") == entry.event_type);
            spans
        };
        Self { created: step("create"), sent: step("send"), processed: step("process") }
    }

    /// Said once by its speaker, sent, and applied once by each listener; how many spans that is.
    /// What was said again because somebody asked is sent again, and a duplicate to who knew it.
    fn check(&self, tree: &Tree, entry: &Entry) -> anyhow::Result<usize> {
        let event = short(entry.event_type);
        let speaker = entry.speaker.name();
        let [created] = self.created[..] else {
            anyhow::bail!("{event} is created {} times: {tree:#?}", self.created.len());
        };
        ensure!(is_of(created, speaker), "{event} is said by {}", created.service);
        ensure!(created.kind == SpanKind::Producer, "{created:?}");
        for send in &self.sent {
            ensure!(send.kind == SpanKind::Producer && is_of(send, speaker), "{send:?}");
            ensure!(send.parent == created.id, "{event} is sent by nobody who said it: {send:?}");
            let waited: i64 = send.attribute("oms.outbox_wait_ms").parse().context("no wait")?;
            ensure!(waited >= 0, "{send:?}");
        }
        let mut listeners: Vec<&str> = entry.listeners.iter().map(|one| one.name()).collect();
        listeners.sort_unstable();
        for listener in &listeners {
            let own = self.processed.iter().filter(|span| is_of(span, listener));
            let own: Vec<_> = own.collect();
            let fresh: Vec<_> =
                own.iter().filter(|span| span.attribute("oms.outcome") != "duplicate").collect();
            ensure!(own.len() <= self.sent.len(), "{listener} has {event} too often: {own:#?}");
            let [applied] = fresh[..] else {
                anyhow::bail!("{listener} applied {event} {} times: {own:#?}", fresh.len());
            };
            let outcome = applied.attribute("oms.outcome");
            ensure!(["moved", "already"].contains(&outcome), "{listener}, {event}: {outcome:?}");
            let reacted = tree.children(applied).filter(|span| span.name.starts_with("react"));
            let reacted = reacted.count();
            ensure!(reacted == 1, "{listener} reacted to {event} {reacted} times: {tree:#?}");
        }
        for process in &self.processed {
            ensure!(process.kind == SpanKind::Consumer, "{process:?}");
            let known = listeners.iter().any(|listener| is_of(process, listener));
            ensure!(known, "{} is no listener of {event}", process.service);
            let from = self.sent.iter().any(|send| send.id == process.parent);
            ensure!(from, "{event} is processed and was not sent: {process:?}");
        }
        Ok(self.created.len() + self.sent.len() + self.processed.len())
    }
}
