//! The domain alone: no I/O.

mod cancel;
mod create;
mod fulfil;
mod hearing;
mod ledger;
mod money;
mod pay;
mod refund;
mod table;
mod timeline;
mod waiting;
