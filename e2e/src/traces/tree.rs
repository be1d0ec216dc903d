//! The spans of one trace as the tree they are.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use oms_testkit::SeenSpan;

/// A trace.
#[derive(Debug)]
pub struct Tree {
    spans: Vec<SeenSpan>,
    by_id: BTreeMap<String, usize>,
}

impl Tree {
    /// The tree of these spans, which are of one trace.
    #[must_use]
    pub fn of(spans: Vec<SeenSpan>) -> Self {
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
        self.spans.iter().filter(lost).map(|span| format!("the parent of {}", word(span))).collect()
    }

    /// Spans whose name begins so.
    #[must_use]
    pub fn named(&self, name: &str) -> Vec<&SeenSpan> {
        self.spans.iter().filter(|span| span.name.starts_with(name)).collect()
    }

    /// What a span is the parent of.
    pub(super) fn children<'a>(&'a self, of: &'a SeenSpan) -> impl Iterator<Item = &'a SeenSpan> {
        self.spans.iter().filter(|span| span.parent == of.id)
    }

    pub(super) fn root(&self) -> Option<&SeenSpan> {
        self.spans.iter().find(|span| span.parent.is_empty())
    }

    /// How many spans it has.
    #[must_use]
    pub fn size(&self) -> usize {
        self.spans.len()
    }

    pub(super) fn services(&self) -> Vec<&str> {
        let mut all: Vec<_> = self.spans.iter().map(|span| span.service.as_str()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// From the root to the `create` of this event, in words.
    ///
    /// # Errors
    /// When it was not said.
    pub fn road_to(&self, event: &str) -> anyhow::Result<Vec<String>> {
        let is_it = |span: &&&SeenSpan| short(span.attribute("oms.event_type")) == event;
        let created = self.named("create");
        let mut at = *created.iter().find(is_it).with_context(|| format!("{event}: {self:#?}"))?;
        let mut road = vec![word(at)];
        while let Some(parent) = self.by_id.get(&at.parent) {
            at = &self.spans[*parent];
            road.push(word(at));
            ensure!(road.len() <= self.spans.len(), "a span is its own ancestor: {road:#?}");
        }
        road.reverse();
        Ok(road)
    }

    /// No effect before its cause, nothing that ended before it began, no id twice.
    pub(super) fn is_in_order(&self) -> anyhow::Result<()> {
        ensure!(self.by_id.len() == self.spans.len(), "spans were sent twice");
        for span in &self.spans {
            ensure!(span.ended >= span.began, "{span:?}");
            if let Some(parent) = self.by_id.get(&span.parent) {
                ensure!(self.spans[*parent].began <= span.began, "{} began early", word(span));
            }
        }
        Ok(())
    }
}

/// `order.submitted` for `oms.order.submitted.v1`.
pub(super) fn short(event_type: &str) -> &str {
    event_type.trim_start_matches("oms.").trim_end_matches(".v1")
}

/// `inventory: process order.submitted`, without what all have in common; topics of stories have
/// names of their own.
fn word(span: &SeenSpan) -> String {
    let service = span.service.trim_start_matches("oms-");
    let event = short(span.attribute("oms.event_type"));
    let name = span.name.split_once(" oms.saga.events").map_or(&*span.name, |(name, _)| name);
    if name.starts_with("react") || event.is_empty() {
        return format!("{service}: {}", name.trim_end_matches(".v1").replace(" oms.", " "));
    }
    format!("{service}: {name} {event}")
}
