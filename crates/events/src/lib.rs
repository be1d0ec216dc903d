//! The catalogue of events on `oms.saga.events`: what each says, who emits it, who listens.
//!
//! One file per speaker. `docs/events.md` is generated from [`catalogue()`]; the saga's rules are
//! in `docs/saga.md`. Changes are additive only; a breaking change is a new `.v2` type.
#![forbid(unsafe_code)]

mod catalogue;
pub mod inventory;
mod money;
pub mod order;
pub mod payment;

pub use catalogue::{Entry, Service, catalogue};
pub use money::{Amount, Line, Quantity};

use serde::{Serialize, de::DeserializeOwned};

/// The data of one type of event.
pub trait EventData: Serialize + DeserializeOwned {
    /// The CloudEvents type, for example `oms.order.created.v1`.
    const TYPE: &'static str;
}

/// Implements [`EventData`] for a struct.
macro_rules! event {
    ($data:ty, $name:literal) => {
        impl crate::EventData for $data {
            const TYPE: &'static str = $name;
        }
    };
}
pub(crate) use event;

/// The topic of every event.
pub const TOPIC: &str = "oms.saga.events";

/// The topic of dead letters: events some service could not handle.
pub const DEAD_LETTER_TOPIC: &str = "oms.saga.events.dlq";
