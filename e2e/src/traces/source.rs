//! Where spans are asked for.

use std::time::Duration;

use oms_servers::JaegerAt;
use oms_telemetry::Guard;
use oms_testkit::{Collector, SeenSpan, eventually};

use super::{Shape, Tree, jaeger};

/// How long the last span of a trace that is over may take to arrive.
const WHOLE_WITHIN: Duration = Duration::from_secs(60);

/// Who was sent the spans.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// A collector in this process, and what exports to it.
    Collector(&'a Collector, &'a Guard),
    /// A Jaeger, by its query API.
    Jaeger(&'a JaegerAt),
}

impl Source<'_> {
    /// The spans of a trace that have arrived.
    ///
    /// # Errors
    /// When they cannot be asked for.
    pub async fn spans(self, trace: &str) -> anyhow::Result<Vec<SeenSpan>> {
        match self {
            Self::Collector(collector, guard) => {
                guard.flush();
                Ok(collector.trace(trace))
            }
            Self::Jaeger(at) => jaeger::trace(at, trace).await,
        }
    }

    /// The trace once everything of `shape` is in it and no span lacks its parent; it is checked
    /// against the shape then.
    ///
    /// # Errors
    /// What is missing, or too much.
    pub async fn whole(self, trace: &str, shape: &Shape) -> anyhow::Result<Tree> {
        let tree = eventually(WHOLE_WITHIN, || async {
            let tree = Tree::of(self.spans(trace).await?);
            let missing = shape.missing_in(&tree);
            Ok(if missing.is_empty() { Ok(tree) } else { Err(missing.join("\n")) })
        })
        .await?;
        shape.judge(&tree)?;
        Ok(tree)
    }
}
