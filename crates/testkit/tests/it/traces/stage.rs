//! A system whose spans go to a collector of the test's own. The subscriber belongs to the test's
//! thread, on which the whole system runs.

use std::time::Duration;

use oms_telemetry::{Guard, LogSettings, TraceSettings};
use oms_testkit::{Collector, SeenSpan, Stack, StackOptions, eventually};
use tracing::subscriber::DefaultGuard;

use super::tree::Tree;

pub(super) struct Stage {
    pub(super) stack: Stack,
    collector: Collector,
    _here: DefaultGuard,
    guard: Guard,
}

impl Stage {
    pub(super) async fn sampling(sample_percent: u8) -> Self {
        let collector = Collector::start().unwrap();
        let traces = TraceSettings {
            endpoint: collector.endpoint(),
            sample_percent,
            export_delay_ms: 20,
            ..TraceSettings::default()
        };
        let log = LogSettings { level: "off".to_owned(), ..LogSettings::default() };
        let services = ["order", "inventory", "payment"];
        let (here, guard) = oms_telemetry::init_here(&log, &traces, &services).unwrap();
        // Nobody asks, however slow the machine is: an answer would tell the same again.
        let mut options = StackOptions { slow_card_ms: 600, ..StackOptions::default() };
        (options.messaging.ask_after_ms, options.messaging.ask_delay_ms_max) = (600_000, 600_000);
        let stack = Stack::with(options).await.unwrap();
        Self { stack, collector, _here: here, guard }
    }

    /// Everything the collector was sent, once all that has ended is out.
    pub(super) fn spans(&self) -> Vec<SeenSpan> {
        self.guard.flush();
        self.collector.spans()
    }

    /// The trace, once every span of it has ended: none is without its parent, and `events` were
    /// processed as often as they should be.
    pub(super) async fn tree(&self, trace: &str, processed: usize) -> Tree {
        eventually(Duration::from_secs(20), || async {
            self.guard.flush();
            let tree = Tree::of(self.collector.trace(trace));
            let open = tree.orphans();
            let seen = tree.named("process").len();
            let whole = open.is_empty() && seen >= processed && tree.roots() == 1;
            Ok(if whole { Ok(tree) } else { Err(format!("{seen} processed, orphans {open:#?}")) })
        })
        .await
        .unwrap()
    }

    pub(super) async fn finish(self) {
        self.stack.finish().await.unwrap();
    }
}
