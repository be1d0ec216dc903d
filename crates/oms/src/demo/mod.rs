//! `oms demo`: the whole system in a scratch folder on free ports, every scenario played and
//! checked; or one scenario against a system that runs already.

mod arguments;
mod play;
mod scenarios;
mod sightings;
mod stage;
mod transcript;

pub(crate) use arguments::DemoArguments;
