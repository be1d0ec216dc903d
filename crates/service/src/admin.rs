//! The admin port: metrics, liveness, readiness, a page that says where they are, and the gRPC of
//! operators.

use std::{fmt::Write, net::SocketAddr};

use axum::{
    Router,
    extract::State,
    http::{
        HeaderMap, StatusCode,
        header::{ACCEPT, CONTENT_TYPE},
    },
    response::{Html, IntoResponse},
    routing::get,
};
use futures::future::try_join_all;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    admin_api, error::StartError, health::Health, listen, metrics, process::Process, vitals::Vitals,
};

/// Where the admin port listens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminSettings {
    /// `host:port`; `localhost` is both loopbacks, port 0 any free one. Dead letters are redriven
    /// and discarded there, and nobody is asked who they are: open it to nobody else.
    pub listen: String,
}

impl AdminSettings {
    /// The admin port at `listen`.
    pub fn at(listen: impl Into<String>) -> Self {
        Self { listen: listen.into() }
    }

    /// Every violation, as `key: what is wrong`; `at` is the path of this section.
    #[must_use]
    pub fn violations(&self, at: &str) -> Vec<String> {
        listen::violations(&format!("{at}.listen"), &self.listen)
    }
}

/// The admin server of a process. It ends when it is dropped.
#[derive(Debug)]
pub struct Admin {
    address: SocketAddr,
    stop: CancellationToken,
}

impl Admin {
    /// Serves the admin port on the address that `setting` names, bound now unless it was before.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn serve(process: &Process, setting: &str, listen: &str) -> Result<Self, StartError> {
        let address = process.bind(setting, listen).await?;
        let listeners = process.take(setting)?.into_listeners();
        for open in addresses(&listeners).filter(|at| is_open(*at)) {
            tracing::warn!(
                setting,
                %open,
                "the admin port is not on a loopback: whoever reaches it can discard dead letters"
            );
        }
        let stop = CancellationToken::new();
        let (router, stopped) = (router(process.clone()), stop.clone());
        process.tasks().spawn("admin", async move {
            let servers = listeners.into_iter().map(|listener| {
                let server = axum::serve(listener, router.clone());
                std::future::IntoFuture::into_future(server)
            });
            tokio::select! {
                () = stopped.cancelled() => Ok(()),
                ended = try_join_all(servers) => ended.map(|_| ()),
            }
        });
        Ok(Self { address, stop })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn addresses(listeners: &[TcpListener]) -> impl Iterator<Item = SocketAddr> {
    listeners.iter().filter_map(|listener| listener.local_addr().ok())
}

/// Whether others than this machine reach it.
fn is_open(at: SocketAddr) -> bool {
    !at.ip().to_canonical().is_loopback()
}

fn router(process: Process) -> Router {
    Router::new()
        .route("/", get(landing))
        .route("/metrics", get(metrics_page))
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(readiness))
        .route("/readyz/calls", get(taking_calls))
        .fallback(admin_api::call)
        .with_state(process)
}

/// The page is OpenMetrics, and says so to whoever asks for it; a browser, which would offer it as
/// a download, gets it as plain text.
async fn metrics_page(State(process): State<Process>, headers: HeaderMap) -> impl IntoResponse {
    let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = if accepted.contains("application/openmetrics-text") {
        metrics::OPENMETRICS
    } else {
        metrics::PLAIN
    };
    process.metrics().group(Vitals::register).take(&process.health());
    ([(CONTENT_TYPE, kind)], process.metrics().scrape().await)
}

/// 200 only if all components are up.
async fn readiness(State(process): State<Process>) -> impl IntoResponse {
    answer(&process.health(), Health::is_ready)
}

/// 200 while calls are answered: what a load balancer asks.
async fn taking_calls(State(process): State<Process>) -> impl IntoResponse {
    answer(&process.health(), Health::takes_calls)
}

/// One line a component, after the answer for all.
fn answer(
    services: &[(&'static str, Health)],
    is_ready: fn(&Health) -> bool,
) -> (StatusCode, String) {
    let ready = !services.is_empty() && services.iter().all(|(_, health)| is_ready(health));
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut page = format!("{}\n", if ready { "ready" } else { "not ready" });
    for (service, health) in services {
        if health.is_draining() {
            let _ = writeln!(page, "{service}: draining");
        }
        for (component, trouble) in health.components() {
            let state = trouble.map_or_else(|| "up".to_owned(), |why| format!("down: {why}"));
            let _ = writeln!(page, "{service}.{component}: {state}");
        }
    }
    (status, page)
}

async fn landing(State(process): State<Process>) -> Html<String> {
    let services: Vec<_> = process.health().into_iter().map(|(name, _)| name).collect();
    Html(format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>OMS</title>\
         <h1>OMS</h1><p>Services in this process: {}</p><ul>\
         <li><a href=\"/metrics\">/metrics</a>: counters and gauges, for Prometheus</li>\
         <li><a href=\"/readyz\">/readyz</a>: every component by name</li>\
         <li><a href=\"/readyz/calls\">/readyz/calls</a>: calls are answered</li>\
         <li><a href=\"/livez\">/livez</a>: the process answers</li></ul></html>\n",
        services.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_admin_port_beyond_the_loopbacks_is_open_to_others() {
        let open = |at: &str| at.parse().map(is_open);
        for here in ["127.0.0.1:9091", "127.8.0.1:1", "[::1]:9091", "[::ffff:127.0.0.1]:9091"] {
            assert_eq!(open(here), Ok(false), "{here}");
        }
        for there in ["0.0.0.0:9091", "[::]:9091", "10.0.0.7:9091", "[2001:db8::1]:9091"] {
            assert_eq!(open(there), Ok(true), "{there}");
        }
    }
}
