//! A system whose spans go to a collector of the test's own. The subscriber is a global of the
//! process: all stages share it, and look at traces of their own.

use std::{sync::OnceLock, time::Duration};

use oms_e2e::traces::Source;
use oms_messaging::MessagingSettings;
use oms_telemetry::{Guard, LogSettings, TraceSettings};
use oms_testkit::{Collector, Stack, StackOptions, eventually};

/// How long the last span of an order that is confirmed may take to arrive.
const LINKED_WITHIN: Duration = Duration::from_secs(30);

static SHARED: OnceLock<(Collector, Guard)> = OnceLock::new();

fn shared() -> &'static (Collector, Guard) {
    SHARED.get_or_init(|| {
        let collector = Collector::start().unwrap();
        let traces = TraceSettings {
            endpoint: collector.endpoint(),
            export_delay_ms: 20,
            // However slow the machine is: what is late is lost.
            export_timeout_ms: 60_000,
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
        Self::set_with(|_| ()).await
    }

    pub(super) async fn set_with(change: impl FnOnce(&mut MessagingSettings)) -> Self {
        shared();
        // Nobody asks, however slow the machine is: an answer would tell the same again.
        let mut options = StackOptions { slow_card_ms: 600, ..StackOptions::default() };
        (options.messaging.ask_after_ms, options.messaging.ask_delay_ms_max) = (600_000, 600_000);
        change(&mut options.messaging);
        Self { stack: Stack::with(options).await.unwrap() }
    }

    /// Where the spans went.
    pub(super) fn spans(&self) -> Source<'static> {
        let (collector, guard) = shared();
        Source::Collector(collector, guard)
    }

    /// The trace in which an event of this type was applied, linked to `trace`.
    pub(super) async fn linked_to(&self, trace: &str, event_type: &str) -> String {
        let (collector, guard) = shared();
        eventually(LINKED_WITHIN, || async {
            guard.flush();
            let applied = collector.linked_to(trace).into_iter().find(|span| {
                span.name.starts_with("process") && span.attribute("oms.event_type") == event_type
            });
            Ok(applied.map(|span| span.trace).ok_or(format!("no {event_type} linked to {trace}")))
        })
        .await
        .unwrap()
    }

    pub(super) async fn finish(self) {
        self.stack.finish().await.unwrap();
    }
}
