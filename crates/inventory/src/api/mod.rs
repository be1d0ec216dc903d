//! `oms.v1.InventoryService` over the commands and queries.

mod convert;
mod inventory_service;
mod page;
mod refuse;
mod request;

pub use inventory_service::InventoryApi;
