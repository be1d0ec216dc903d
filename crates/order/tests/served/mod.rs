//! An order service on port 0, with inventory and payment played by the test.

mod others;
mod requests;
mod seams;
mod service;
mod watching;

pub(crate) use others::{Others, Paying, Refunding};
pub(crate) use requests::{
    cancel, complete, create, create_for, get, is_replay, item, keyed, pay, refund, ship, usd,
    within,
};
pub(crate) use seams::{Crash, TestClock};
pub(crate) use service::{Served, each_backend};
pub(crate) use watching::{Seen, after, watch};
