//! The domain alone: no I/O.

mod amend;
mod cancel;
mod create;
mod edit;
mod fulfil;
mod hearing;
mod ledger;
mod money;
mod pay;
mod refund;
mod table;
mod timeline;
mod waiting;
