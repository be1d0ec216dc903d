//! Stories of the services as separate processes; each ends with the invariants of `docs/saga.md`.

mod broker_away;
mod database_away;
mod dead_letters;
mod explain;
mod kills;
mod one_database_away;
mod replay;
mod scenarios;
mod side_by_side;
mod storm;
mod telling;
mod traces;

pub use telling::{Told, Verdict};

use std::{future::Future, pin::Pin};

use oms_events::Service;

use crate::cluster::World;

type Playing<'a> = Pin<Box<dyn Future<Output = anyhow::Result<Verdict>> + Send + 'a>>;

/// A story.
#[derive(Clone, Copy)]
pub struct Story {
    /// Its name, as on the command line.
    pub name: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// Plays it.
    pub play: for<'a> fn(&'a World) -> Playing<'a>,
}

/// Every story, in the order in which they are played.
pub const STORIES: &[Story] = &[
    Story {
        name: "scenarios",
        about: "every branch of the saga",
        play: |world| Box::pin(scenarios::play(world)),
    },
    Story {
        name: "traces",
        about: "the traces of runs in Jaeger, one with inventory stopped meanwhile",
        play: |world| Box::pin(traces::play(world)),
    },
    Story {
        name: "explain",
        about: "`oms explain` names why an order waits: a service, a gateway, poison, a broker",
        play: |world| Box::pin(explain::play(world)),
    },
    Story {
        name: "kills",
        about: "kill -9 of each service in turn under load",
        play: |world| Box::pin(kills::play(world)),
    },
    Story {
        name: "broker-away",
        about: "Kafka stopped and started under load",
        play: |world| Box::pin(broker_away::play(world)),
    },
    Story {
        name: "database-away",
        about: "PostgreSQL stopped immediately and started under load",
        play: |world| Box::pin(database_away::play(world)),
    },
    Story {
        name: "order-database-away",
        about: "the database of order alone is away, the others go on",
        play: |world| Box::pin(one_database_away::play(world, Service::Order)),
    },
    Story {
        name: "inventory-database-away",
        about: "the database of inventory alone is away, the others go on",
        play: |world| Box::pin(one_database_away::play(world, Service::Inventory)),
    },
    Story {
        name: "payment-database-away",
        about: "the database of payment alone is away, the others go on",
        play: |world| Box::pin(one_database_away::play(world, Service::Payment)),
    },
    Story {
        name: "replay",
        about: "the whole topic once more into the running system",
        play: |world| Box::pin(replay::play(world)),
    },
    Story {
        name: "dead-letters",
        about: "poison parks its orders alone; mended and redriven, they end as if nothing was",
        play: |world| Box::pin(dead_letters::play(world)),
    },
    Story {
        name: "side-by-side",
        about: "two instances of every service, one of each killed",
        play: |world| Box::pin(side_by_side::play(world)),
    },
    Story {
        name: "storm",
        about: "a service chosen by chance is killed every three seconds under load",
        play: |world| Box::pin(storm::play(world)),
    },
];
