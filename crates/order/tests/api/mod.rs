//! `oms.v1.OrderService` as its callers meet it: through a real server.

mod at_once;
mod details;
mod faults;
mod gone;
mod keyless;
mod keys;
mod keys_running;
mod listing;
mod orders;
mod refunds;
mod refusals;
mod runs;
mod ship_waits;
mod shipping;
mod validation;
mod walking;
mod watch_ends;
mod watch_stalls;
mod watching;
