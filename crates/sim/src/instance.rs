//! A running instance of a service: the real one, wired on simulated ground.

use std::sync::Arc;

use oms_events::Service;
use oms_inventory::InventorySettings;
use oms_messaging::{DeadLetters, Log, Messaging};
use oms_order::{OrderSettings, commands::Context};
use oms_payment::{PaymentSettings, gateway::Gateway};
use oms_seams::Seams;
use oms_service::Metrics;
use tokio_util::sync::CancellationToken;

use crate::{
    hands::{self, AfterLog, Did, Hand},
    plan::{HOLD_FOR, Plan, RUN_DEADLINE},
    spoil::{Spoil, Spoilt},
    stores::Stores,
    trap::Held,
};

/// What a finished step gives back: the hand and what it did.
pub(crate) type Stepped = (Box<dyn Hand>, Did);

/// A worker's place: the worker itself, or its step while that is held.
pub(crate) enum Slot {
    /// At rest.
    Idle(Box<dyn Hand>),
    /// In the middle of a step.
    Held(Held<Stepped>),
    /// Being driven now.
    Away,
}

/// The workers of an instance, and what its commands need.
pub(crate) struct Instance {
    /// Each worker with its name.
    pub slots: Vec<(&'static str, Slot)>,
    /// What commands of order need.
    pub context: Option<Context>,
    /// The service's messaging.
    pub messaging: Messaging,
    /// The service's dead letters.
    pub letters: DeadLetters,
}

/// What instances are started on, again and again.
pub(crate) struct Ground<'a> {
    /// The databases.
    pub stores: &'a Stores,
    /// How things are set.
    pub plan: &'a Plan,
    /// Clock, ids, fault points.
    pub seams: Seams,
    /// The log as they see it.
    pub log: Arc<dyn Log>,
    /// The gateway as payment sees it.
    pub gateway: Arc<dyn Gateway>,
    /// The service's bug.
    pub spoil: Arc<Spoil>,
}

impl Ground<'_> {
    /// Starts an instance.
    #[must_use]
    pub(crate) fn start(self, service: Service) -> Instance {
        match service {
            Service::Order => self.order(),
            Service::Inventory => self.inventory(),
            Service::Payment => self.payment(),
        }
    }

    fn order(self) -> Instance {
        let settings = Arc::new(OrderSettings {
            messaging: self.plan.messaging(),
            run_deadline_s: RUN_DEADLINE.num_seconds().unsigned_abs(),
            ..OrderSettings::default()
        });
        let (database, draining) = (&self.stores.order, CancellationToken::new());
        let metrics = Metrics::default();
        let parts = oms_order::parts(&settings, database, self.seams, self.log, &metrics, draining);
        let crew = parts.crew.wrapped(|reactor| Spoilt::new(reactor, self.spoil));
        let letters = crew.dead_letters();
        let deadlines = AfterLog::new(parts.deadlines, crew.consumer_status());
        let mut hands = hands::of_crew(crew);
        hands.push(Box::new(deadlines));
        hands.push(Box::new(parts.forgetting));
        let messaging = parts.context.messaging.clone();
        instance(hands, Some(parts.context), messaging, letters)
    }

    fn inventory(self) -> Instance {
        let settings = InventorySettings {
            messaging: self.plan.messaging(),
            reservation_ttl_s: u32::try_from(HOLD_FOR.num_seconds()).unwrap_or(u32::MAX),
            ..InventorySettings::default()
        };
        let database = &self.stores.inventory;
        let parts =
            oms_inventory::parts(&settings, database, self.seams, self.log, &Metrics::default());
        let crew = parts.crew.wrapped(|reactor| Spoilt::new(reactor, self.spoil));
        let letters = crew.dead_letters();
        let expiry = AfterLog::new(parts.expiry, crew.consumer_status());
        let mut hands = hands::of_crew(crew);
        hands.push(Box::new(expiry));
        instance(hands, None, parts.messaging, letters)
    }

    fn payment(self) -> Instance {
        let settings = PaymentSettings {
            messaging: self.plan.messaging(),
            worker: self.plan.worker(),
            ..PaymentSettings::default()
        };
        let (database, metrics) = (&self.stores.payment, Metrics::default());
        let parts =
            oms_payment::parts(&settings, database, self.seams, self.log, self.gateway, &metrics);
        let crew = parts.crew.wrapped(|reactor| Spoilt::new(reactor, self.spoil));
        let letters = crew.dead_letters();
        let mut hands = hands::of_crew(crew);
        hands.push(Box::new(parts.worker));
        instance(hands, None, parts.messaging, letters)
    }
}

fn instance(
    hands: Vec<Box<dyn Hand>>,
    context: Option<Context>,
    messaging: Messaging,
    letters: DeadLetters,
) -> Instance {
    let slots = hands.into_iter().map(|hand| (hand.name(), Slot::Idle(hand))).collect();
    Instance { slots, context, messaging, letters }
}
