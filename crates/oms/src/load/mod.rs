//! `oms load`: many customers at once, and whether money and stock agree afterwards.
//!
//! [`pace`] says when an order begins, [`mix`] what becomes of it, [`journey`] plays it,
//! [`recorder`] keeps the figures, [`verify`] asks all three services at the end, and [`report`]
//! tells. Everything goes through the public API.

mod agree;
mod arguments;
mod crowd;
mod journey;
mod mix;
mod pace;
mod progress;
mod recorder;
mod report;
mod run;
mod stock;
mod verify;

pub(crate) use arguments::LoadArguments;
