//! The service as a program of its own.

use oms_service::{AdminSettings, Host, Program, StartError};
use oms_telemetry::{LogSettings, TraceSettings};

use crate::{
    config::InventoryConfig,
    start::{self, NAME, Running, start},
};

/// What `oms-inventory` runs.
#[derive(Debug)]
pub struct InventoryProgram;

impl Program for InventoryProgram {
    const NAME: &'static str = NAME;
    type Config = InventoryConfig;
    type Running = Running;

    fn log(config: &InventoryConfig) -> &LogSettings {
        &config.log
    }

    fn traces(config: &InventoryConfig) -> &TraceSettings {
        &config.traces
    }

    fn admin(config: &InventoryConfig) -> &AdminSettings {
        &config.inventory.admin
    }

    async fn migrate(config: InventoryConfig) -> Result<(), StartError> {
        start::open(&config.inventory).await?.close().await;
        Ok(())
    }

    async fn start(config: InventoryConfig, host: Host) -> Result<Running, StartError> {
        start(config, host).await
    }
}
