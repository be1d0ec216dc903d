//! `orders.Orders` as its callers meet it: on its own port, and beside `oms.v1.OrderService`.

mod amending;
mod caller;
mod edits;
mod errors;
mod halves;
mod inside;
mod keys;
mod moving;
mod pages;
mod parity;
mod refused;
