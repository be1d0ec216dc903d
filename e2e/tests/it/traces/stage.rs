//! A system whose spans go to a collector of the test's own. The subscriber is a global of the
//! process: all stages share it, and look at traces of their own.

use std::sync::OnceLock;

use oms_e2e::traces::Source;
use oms_telemetry::{Guard, LogSettings, TraceSettings};
use oms_testkit::{Collector, Stack, StackOptions};

static SHARED: OnceLock<(Collector, Guard)> = OnceLock::new();

fn shared() -> &'static (Collector, Guard) {
    SHARED.get_or_init(|| {
        let collector = Collector::start().unwrap();
        let traces = TraceSettings {
            endpoint: collector.endpoint(),
            export_delay_ms: 20,
            ..TraceSettings::default()
        };
        let log = LogSettings { level: "off".to_owned(), ..LogSettings::default() };
        let services = ["order", "inventory", "payment"];
        (collector, oms_telemetry::init(&log, &traces, &services).unwrap())
    })
}

pub(super) struct Stage {
    pub(super) stack: Stack,
}

impl Stage {
    pub(super) async fn set() -> Self {
        shared();
        // Nobody asks, however slow the machine is: an answer would tell the same again.
        let mut options = StackOptions { slow_card_ms: 600, ..StackOptions::default() };
        (options.messaging.ask_after_ms, options.messaging.ask_delay_ms_max) = (600_000, 600_000);
        Self { stack: Stack::with(options).await.unwrap() }
    }

    /// Where the spans went.
    pub(super) fn spans(&self) -> Source<'static> {
        let (collector, guard) = shared();
        Source::Collector(collector, guard)
    }

    pub(super) async fn finish(self) {
        self.stack.finish().await.unwrap();
    }
}
