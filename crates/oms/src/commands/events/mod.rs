//! `oms events`: what the services tell each other.

mod filter;
mod sighting;
mod tail;

pub(super) use tail::EventsCommand;
