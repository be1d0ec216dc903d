//! The service as a program of its own.

use oms_service::{AdminSettings, Host, Program, StartError};
use oms_telemetry::{LogSettings, TraceSettings};

use crate::{
    config::PaymentConfig,
    start::{self, NAME, Running, start},
};

/// What `oms-payment` runs.
#[derive(Debug)]
pub struct PaymentProgram;

impl Program for PaymentProgram {
    const NAME: &'static str = NAME;
    type Config = PaymentConfig;
    type Running = Running;

    fn log(config: &PaymentConfig) -> &LogSettings {
        &config.log
    }

    fn traces(config: &PaymentConfig) -> &TraceSettings {
        &config.traces
    }

    fn admin(config: &PaymentConfig) -> &AdminSettings {
        &config.payment.admin
    }

    async fn migrate(config: PaymentConfig) -> Result<(), StartError> {
        let (database, gateway) = start::open(&config.payment).await?;
        database.close().await;
        gateway.close().await;
        Ok(())
    }

    async fn start(config: PaymentConfig, host: Host) -> Result<Running, StartError> {
        start(config, host).await
    }
}
