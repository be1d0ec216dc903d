//! `oms run`: the embedded arrangement until Ctrl-C.

use std::{
    fmt::Write as _,
    io::{Write as _, stdout},
    path::Path,
    time::Duration,
};

use oms_service::{StartError, Tls, stop_signal};

use crate::{config::OmsConfig, folder::Folder, system::System};

const REPORT_AFTER: Duration = Duration::from_secs(10);

/// Runs until SIGINT, SIGTERM or a failed task.
///
/// # Errors
/// What hindered the start, or which task failed.
pub(crate) async fn run(config: OmsConfig, data: &Path) -> Result<(), StartError> {
    // Before any port: a second system on the same data must touch nothing.
    let _folder = config.keeps_data_in(data).then(|| Folder::hold(data)).transpose()?;
    let stop = stop_signal()?;
    tokio::pin!(stop);
    let system = tokio::select! {
        started = System::start(config) => started?,
        () = &mut stop => return Ok(()),
    };
    say(&banner(&system, data));
    let outcome = tokio::select! {
        reason = system.failed() => Err(StartError::Stopped(reason)),
        () = &mut stop => Ok(()),
        never = report_ready(&system) => match never {},
    };
    say("\ndraining: calls and events in hand are finished, the rest waits in the databases\n");
    system.drain().await;
    say("stopped\n");
    outcome
}

async fn report_ready(system: &System) -> std::convert::Infallible {
    while let Err(slow) = system.ready(REPORT_AFTER).await {
        tracing::warn!("{slow}");
    }
    say("ready\n");
    std::future::pending().await
}

/// What a newcomer needs to see first.
fn banner(system: &System, data: &Path) -> String {
    let (at, orders) = (system.addresses(), system.orders());
    let speaks = if orders.tls.is_some() { "plaintext and TLS" } else { "plaintext" };
    let mut text = String::from("OMS: three services, one process, joined only by events\n\n");
    let lines = [
        ("oms.v1.OrderService", at.order.to_string()),
        ("orders.Orders", format!("{}, {speaks}", orders.at)),
        ("oms.v1.InventoryService", at.inventory.to_string()),
        ("oms.v1.PaymentService", at.payment.to_string()),
        ("Kafka, topic oms.saga.events", system.bootstrap().to_string()),
        ("metrics and health", format!("http://{}", system.admin())),
        ("dead letters, for operators", system.admin().to_string()),
        ("databases", data.display().to_string()),
    ];
    for (what, place) in lines {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {what:<30} {place}");
    }
    if let Some(authority) = orders.tls.as_ref().and_then(Tls::authority) {
        let _ = writeln!(
            text,
            "\n  For https://localhost:{port} trust the local CA, for example\n  \
             try   grpcurl -cacert {} localhost:{port} list",
            authority.display(),
            port = orders.at.port()
        );
    }
    text.push_str(
        "\n  try   grpcurl -plaintext localhost:50051 list\n  \
         try   kcat -b localhost:9092 -t oms.saga.events -C -f '%k %s\\n'\n  \
         Kafka UI, Jaeger, Prometheus and Grafana are not part of this arrangement\n  \
         Ctrl-C drains and stops\n\n",
    );
    let port = |at: std::net::SocketAddr| format!("localhost:{}", at.port());
    text.replace("localhost:50051", &port(at.order))
        .replace("localhost:9092", &port(system.bootstrap()))
}

fn say(text: &str) {
    // A closed terminal is no reason to stop serving.
    let mut out = stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
