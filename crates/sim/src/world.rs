//! One simulated world: three services, their log, their gateway, their customers. One thing
//! happens at a time, each to its end, so that a seed always makes the same history.

use std::{mem, sync::Arc};

use anyhow::Context;
use chrono::TimeDelta;
use futures::FutureExt;
use oms_events::{DEAD_LETTER_TOPIC, Service, TOPIC};
use oms_inventory::catalogue;
use oms_messaging::SimulatedLog;
use oms_order::commands::CommandError;
use oms_payment::gateway::SimulatedGateway;
use oms_seams::Seams;
use oms_service::Database;
use oms_testkit::invariants;
use sea_orm::ConnectionTrait;

use crate::{
    applied::Applied,
    customers::{Call, Customer, sku},
    dice::Dice,
    hands::Did,
    instance::{Ground, Instance, Slot, Stepped},
    offsets,
    plan::{Fault, Plan},
    processor::Processor,
    promises::Promises,
    seams::{SimulatedClock, SimulatedIds},
    spoil::Spoil,
    stores::Stores,
    trail::Trail,
    trap::{Arms, Ended, Trap},
    wire::Wire,
};

/// The services, in the order of their turn.
pub(crate) const SERVICES: [Service; 3] = [Service::Order, Service::Inventory, Service::Payment];

/// A simulated world.
pub(crate) struct World<'a> {
    /// Its databases.
    pub stores: &'a Stores,
    /// What its seed makes of it.
    pub plan: Plan,
    /// Its time.
    pub clock: SimulatedClock,
    /// The log without those who watch it.
    pub log: SimulatedLog,
    /// The line to the gateway.
    pub processor: Arc<Processor>,
    /// What happened.
    pub trail: Arc<Trail>,
    /// Every instance that runs, with its service.
    pub instances: Vec<(Service, Instance)>,
    /// The customers.
    pub customers: Vec<Customer>,
    /// What customers were told.
    pub promises: Promises,
    /// How many events each service has applied.
    pub applied: Applied,
    /// What is broken.
    pub broken: Vec<String>,
    /// Whether the log has lost anything, or a service its inbox: then not all that was said must
    /// have been applied.
    pub lossy: bool,
    /// Streams that poison was put in for.
    pub poisoned: Vec<String>,
    /// The bug of each service, in the order of their turn.
    pub spoils: [Arc<Spoil>; 3],
    /// Whether offsets are committed just before an instance dies.
    pub(crate) commits_offsets: bool,
    pub(crate) trap: Arc<Trap>,
    ids: Arc<SimulatedIds>,
}

impl<'a> World<'a> {
    /// A fresh world on emptied databases.
    ///
    /// # Errors
    /// When a database fails.
    pub(crate) async fn begin(stores: &'a Stores, plan: Plan) -> anyhow::Result<Self> {
        stores.clear().await?;
        let clock = SimulatedClock::default();
        let ids = Arc::new(SimulatedIds::new(clock.clone()));
        let log = SimulatedLog::new(&[(TOPIC, plan.partitions), (DEAD_LETTER_TOPIC, 1)])
            .with_clock(Arc::new(clock.clone()));
        let (trail, trap) = (Arc::new(Trail::default()), Arc::new(Trap::default()));
        let (write, read) = (stores.gateway.write.clone(), stores.gateway.read.clone());
        let slow = std::time::Duration::ZERO;
        let gateway = SimulatedGateway::new(write, read, Arc::new(clock.clone()), slow);
        let processor = Arc::new(Processor::new(gateway, trail.clone(), trap.clone()));
        let mut dice = Dice::new(plan.seed, 1);
        let mut customers = (1..=plan.orders)
            .map(|number| Customer::new(number, plan.stock.len(), &mut dice))
            .collect::<Result<Vec<_>, _>>()?;
        if plan.amends {
            let mut dice = Dice::new(plan.seed, 5);
            customers.iter_mut().for_each(|customer| customer.waver(plan.stock.len(), &mut dice));
        }
        let mut world = Self {
            stores,
            plan,
            clock,
            log,
            processor,
            trail,
            instances: Vec::new(),
            customers,
            promises: Promises::default(),
            applied: Applied::default(),
            broken: Vec::new(),
            lossy: false,
            poisoned: Vec::new(),
            spoils: std::array::from_fn(|_| Arc::default()),
            commits_offsets: false,
            trap,
            ids,
        };
        let twins = if world.plan.allows(Fault::Twins) { 2 } else { 1 };
        for service in SERVICES.into_iter().flat_map(|service| vec![service; twins]) {
            let instance = world.start(service);
            world.instances.push((service, instance));
        }
        world.fill_shelves().await?;
        Ok(world)
    }

    async fn fill_shelves(&self) -> anyhow::Result<()> {
        let item = |(index, qty): (usize, &i64)| catalogue::Item {
            sku: sku(index),
            qty: *qty,
            note: String::new(),
        };
        let items: Vec<_> = self.plan.stock.iter().enumerate().map(item).collect();
        let of_inventory = self.instances.iter().find(|(of, _)| *of == Service::Inventory);
        let (_, inventory) = of_inventory.context("inventory does not run")?;
        catalogue::load(&inventory.messaging, &items).await?;
        Ok(())
    }

    fn start(&self, service: Service) -> Instance {
        let log = Arc::new(Wire::new(self.log.clone(), self.trail.clone(), self.trap.clone()));
        Ground {
            stores: self.stores,
            plan: &self.plan,
            seams: self.seams(),
            log,
            gateway: self.processor.clone(),
            spoil: self.spoil_of(service),
        }
        .start(service)
    }

    /// Clock, ids and fault points of every service.
    #[must_use]
    pub(crate) fn seams(&self) -> Seams {
        let clock = Arc::new(self.clock.clone());
        Seams { clock, ids: self.ids.clone(), faults: self.trap.faults() }
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, time: TimeDelta) {
        self.clock.pass(time);
    }

    /// Ends a step of the history.
    pub(crate) fn line(&self, text: &str) {
        self.trail.line(self.clock.elapsed().num_milliseconds(), text);
    }

    /// The bug of a service.
    pub(crate) fn spoil_of(&self, service: Service) -> Arc<Spoil> {
        let at = SERVICES.iter().position(|other| *other == service).unwrap_or(0);
        self.spoils[at].clone()
    }

    /// An instance's name in the history.
    pub(crate) fn title(&self, at: usize) -> String {
        let service = self.instances[at].0;
        let first = self.instances.iter().position(|(other, _)| *other == service);
        let twin = if first == Some(at) { "" } else { "'" };
        format!("{}{twin}", service.name())
    }

    /// One step of a worker, or the rest of one that was held. None when its process died.
    pub(crate) async fn work(&mut self, at: usize, slot: usize, arms: Arms) -> Option<Did> {
        let name = self.instances.get(at)?.1.slots.get(slot)?.0;
        let title = format!("{} {name}", self.title(at));
        let (_, place) = self.instances.get_mut(at)?.1.slots.get_mut(slot)?;
        let ended = match mem::replace(place, Slot::Away) {
            Slot::Idle(mut hand) => {
                let trail = self.trail.clone();
                let step = async move {
                    let did = hand.step(&trail).await;
                    (hand, did)
                };
                self.trap.drive(step.boxed(), arms).await
            }
            Slot::Held(held) => self.trap.go_on(held, arms).await,
            Slot::Away => return None,
        };
        self.stepped(at, slot, &title, ended)
    }

    fn stepped(
        &mut self,
        at: usize,
        slot: usize,
        title: &str,
        ended: Ended<Stepped>,
    ) -> Option<Did> {
        let (place, did) = match ended {
            Ended::Crashed(point, step) => {
                self.line(&format!("{title} dies at {point}"));
                self.commit_offsets(at);
                drop(step);
                self.restart(at);
                return None;
            }
            Ended::Held(held) => {
                self.trail.count(|counts| counts.held += 1);
                self.line(&format!("{title} is held {:?}", held.place));
                (Slot::Held(held), Did::held())
            }
            Ended::Done((hand, did)) => {
                self.applied.add(self.instances.get(at)?.0, did.applied);
                if did.busy || !did.text.is_empty() {
                    self.line(&format!("{title} {}", did.text));
                }
                (Slot::Idle(hand), did)
            }
        };
        self.instances.get_mut(at)?.1.slots.get_mut(slot)?.1 = place;
        Some(did)
    }

    /// An instance dies and starts again on its data.
    pub(crate) fn restart(&mut self, at: usize) {
        self.trail.count(|counts| counts.crashes += 1);
        let service = self.instances[at].0;
        self.commit_offsets(at);
        // The old one first: whoever has died holds nothing any more.
        self.instances[at].1.slots.clear();
        self.instances[at].1 = self.start(service);
    }

    /// The adapter may have committed what was stored, just before its process died.
    fn commit_offsets(&self, at: usize) {
        if self.commits_offsets {
            self.log.commit_stored(&format!("oms-{}", self.instances[at].0.name()));
        }
    }

    /// A customer calls an instance of order.
    pub(crate) async fn call(&mut self, customer: usize, call: &Call, at: usize, arms: Arms) {
        let Some(context) = self.instances[at].1.context.clone() else { return };
        let of = &self.customers[customer];
        let title = format!("customer {} calls {:?} {}", of.number, call.verb, self.title(at));
        let key = call.key.as_deref().map_or(String::new(), |key| format!(" with {key}"));
        match self.trap.drive(of.make(call, context), arms).await {
            Ended::Done(Ok(told)) => {
                if let Some(order) = &told.order {
                    self.trail.note(format!("order {order}"));
                }
                self.line(&format!("{title}{key}: {:?}", told.status));
                let broken = self.promises.keep(&mut self.customers[customer], call, &told);
                self.broken.extend(broken);
            }
            Ended::Done(Err(refusal)) => {
                self.line(&format!("{title}{key}: refused, {refusal}"));
                let known = self.customers[customer].order.is_some();
                match refusal {
                    CommandError::NotFound if known => {
                        self.broken.push(format!("I7 {title}: an order it was told of is gone"));
                    }
                    CommandError::Store(failure) => {
                        self.broken.push(format!("{title}: the store failed: {failure}"));
                    }
                    _ => {}
                }
            }
            Ended::Crashed(point, _) => {
                self.line(&format!("{title}{key}: dies at {point}"));
                self.restart(at);
            }
            Ended::Held(_) => self.line(&format!("{title}{key}: held, which no command is")),
        }
    }

    /// The instances of a service.
    #[must_use]
    pub(crate) fn of(&self, service: Service) -> Vec<usize> {
        let found = self.instances.iter().enumerate().filter(|(_, (of, _))| *of == service);
        found.map(|(at, _)| at).collect()
    }

    /// Checks what holds at every moment.
    ///
    /// # Errors
    /// When a database cannot be read.
    pub(crate) async fn check_in_motion(&mut self) -> anyhow::Result<()> {
        let mut broken = invariants::broken_in_motion(&self.stores.seen()).await?;
        for service in SERVICES.into_iter().filter(|_| !self.lossy) {
            broken.extend(offsets::ahead(&self.log, service, &self.database(service).read).await?);
        }
        broken.extend(self.applied_twice().await?);
        broken.extend(self.parked_without_poison().await?);
        self.broken.extend(broken);
        Ok(())
    }

    /// Services that have applied an event twice.
    ///
    /// # Errors
    /// When a database cannot be read.
    pub(crate) async fn applied_twice(&self) -> anyhow::Result<Vec<String>> {
        let mut broken = Vec::new();
        for service in SERVICES {
            broken.extend(self.applied.broken(service, &self.database(service).read).await?);
        }
        Ok(broken)
    }

    pub(crate) fn database(&self, service: Service) -> &'a Database {
        match service {
            Service::Order => &self.stores.order,
            Service::Inventory => &self.stores.inventory,
            Service::Payment => &self.stores.payment,
        }
    }

    /// A service forgets which events it applied.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn forget_inbox(&mut self, service: Service) -> anyhow::Result<()> {
        let inbox = self.database(service).write.execute_unprepared("DELETE FROM inbox").await?;
        self.applied.forget(service, inbox.rows_affected());
        self.lossy = true;
        self.line(&format!("{} forgets its inbox", service.name()));
        Ok(())
    }
}
