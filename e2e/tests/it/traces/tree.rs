//! The spans of one trace as the tree they are.

use std::collections::BTreeMap;

use oms_testkit::SeenSpan;

#[derive(Debug)]
pub(super) struct Tree {
    spans: Vec<SeenSpan>,
    by_id: BTreeMap<String, usize>,
}

impl Tree {
    pub(super) fn of(spans: Vec<SeenSpan>) -> Self {
        let by_id = spans.iter().enumerate().map(|(at, span)| (span.id.clone(), at)).collect();
        Self { spans, by_id }
    }

    pub(super) fn roots(&self) -> usize {
        self.spans.iter().filter(|span| span.parent.is_empty()).count()
    }

    /// Spans whose parent was never sent.
    pub(super) fn orphans(&self) -> Vec<String> {
        let lost =
            |span: &&SeenSpan| !span.parent.is_empty() && !self.by_id.contains_key(&span.parent);
        self.spans.iter().filter(lost).map(word).collect()
    }

    /// Spans whose name begins so.
    pub(super) fn named(&self, name: &str) -> Vec<&SeenSpan> {
        self.spans.iter().filter(|span| span.name.starts_with(name)).collect()
    }

    pub(super) fn root(&self) -> &SeenSpan {
        self.spans.iter().find(|span| span.parent.is_empty()).unwrap()
    }

    pub(super) fn services(&self) -> Vec<&str> {
        let mut all: Vec<_> = self.spans.iter().map(|span| span.service.as_str()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// From the root to the `create` of this event, in words.
    pub(super) fn road_to(&self, event_type: &str) -> Vec<String> {
        let is_it = |span: &&&SeenSpan| span.attribute("oms.event_type") == event_type;
        let created = self.named("create");
        let mut at =
            *created.iter().find(is_it).unwrap_or_else(|| panic!("{event_type}: {self:?}"));
        let mut road = vec![word(at)];
        while let Some(parent) = self.by_id.get(&at.parent) {
            at = &self.spans[*parent];
            road.push(word(at));
        }
        road.reverse();
        road
    }

    /// No effect before its cause, and a `send` with at least one `process` for every event that
    /// has listeners.
    pub(super) fn is_in_order(&self) {
        for span in &self.spans {
            assert!(span.ended >= span.began, "{span:?}");
            if let Some(parent) = self.by_id.get(&span.parent) {
                assert!(self.spans[*parent].began <= span.began, "{} began early", word(span));
            }
        }
        for send in self.named("send") {
            let heard = self.named("process").iter().filter(|one| one.parent == send.id).count();
            assert!(heard > 0, "nobody processed {}", word(send));
            assert!(send.attribute("oms.outbox_wait_ms").parse::<i64>().unwrap() >= 0);
        }
        for create in self.named("create") {
            let sent = self.named("send").iter().filter(|one| one.parent == create.id).count();
            assert_eq!(sent, 1, "{} was sent {sent} times", word(create));
        }
    }
}

/// `inventory: process order.submitted`, without what all have in common.
fn word(span: &SeenSpan) -> String {
    let service = span.service.trim_start_matches("oms-");
    let event = span.attribute("oms.event_type");
    let event = event.trim_start_matches("oms.").trim_end_matches(".v1");
    let name = span.name.trim_end_matches(" oms.saga.events");
    if name.starts_with("react") || event.is_empty() {
        return format!("{service}: {}", name.trim_end_matches(".v1").replace(" oms.", " "));
    }
    format!("{service}: {name} {event}")
}
