//! The service as a program of its own.

use oms_service::{AdminSettings, Host, Program, StartError};
use oms_telemetry::{LogSettings, TraceSettings};

use crate::{
    config::OrderConfig,
    start::{self, NAME, Running, start},
};

/// What `oms-order` runs.
#[derive(Debug)]
pub struct OrderProgram;

impl Program for OrderProgram {
    const NAME: &'static str = NAME;
    type Config = OrderConfig;
    type Running = Running;

    fn log(config: &OrderConfig) -> &LogSettings {
        &config.log
    }

    fn traces(config: &OrderConfig) -> &TraceSettings {
        &config.traces
    }

    fn admin(config: &OrderConfig) -> &AdminSettings {
        &config.order.admin
    }

    async fn migrate(config: OrderConfig) -> Result<(), StartError> {
        start::open(&config.order).await?.close().await;
        Ok(())
    }

    async fn start(config: OrderConfig, host: Host) -> Result<Running, StartError> {
        start(config, host).await
    }
}
