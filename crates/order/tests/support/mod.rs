//! What every test here builds on.

mod database;
mod orders;
mod said;

pub(crate) use database::{DEAD, Db, TOPIC, databases};
pub(crate) use orders::{
    Stage, amending, at, call, cause, confirmed, line, new_order, order, paying, shipped, terms,
    totals, usd,
};
pub(crate) use said::{Speaker, amount, record, totals_of};
