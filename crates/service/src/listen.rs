//! Listening sockets: one address, or both loopbacks for `localhost`.

use std::{
    io::{self, ErrorKind},
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use futures::{Stream, stream};
use tokio::net::{TcpListener, TcpStream, lookup_host};

use crate::error::{StartError, variable_of};

/// How often a free port is looked for that is free on both loopbacks.
const ANY_PORT_TRIES: usize = 32;
/// Pause after a failed accept (out of file handles, mostly), so that it does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// One setting's bound sockets.
#[derive(Debug)]
pub(crate) struct Listening {
    address: SocketAddr,
    listeners: Vec<TcpListener>,
}

impl Listening {
    pub(crate) async fn bind(setting: &str, address: &str) -> Result<Self, StartError> {
        let refused = |error: io::Error| StartError::Address {
            setting: setting.to_owned(),
            address: address.to_owned(),
            reason: error.to_string(),
        };
        let port = port_of(address).map_err(refused)?;
        let bound = match address.rsplit_once(':') {
            Some(("localhost", _)) => loopbacks(port).await,
            _ => one(address).await,
        };
        bound.map_err(|error| match error.kind() {
            ErrorKind::AddrInUse => StartError::PortTaken {
                setting: setting.to_owned(),
                port,
                variable: variable_of(setting),
            },
            _ => refused(error),
        })
    }

    /// The first address, with the port that was chosen.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepted connections of all sockets, without end.
    pub(crate) fn incoming(self) -> impl Stream<Item = io::Result<TcpStream>> {
        stream::select_all(self.listeners.into_iter().map(|listener| {
            Box::pin(stream::unfold(listener, |listener| async move {
                loop {
                    match listener.accept().await {
                        Ok((connection, _)) => {
                            let ready = connection.set_nodelay(true).map(|()| connection);
                            return Some((ready, listener));
                        }
                        Err(error) => {
                            tracing::warn!(%error, "could not accept a connection");
                            tokio::time::sleep(ACCEPT_PAUSE).await;
                        }
                    }
                }
            }))
        }))
    }

    /// The sockets themselves.
    pub(crate) fn into_listeners(self) -> Vec<TcpListener> {
        self.listeners
    }
}

/// What is wrong with an address, before it is listened on.
pub(crate) fn violations(key: &str, address: &str) -> Vec<String> {
    match port_of(address) {
        Ok(_) => Vec::new(),
        Err(error) => vec![format!("{key}: {address:?}: {error}")],
    }
}

fn port_of(address: &str) -> io::Result<u16> {
    let port = address
        .rsplit_once(':')
        .and_then(|(host, port)| if host.is_empty() { None } else { port.parse().ok() });
    port.ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "expected host:port"))
}

async fn one(address: &str) -> io::Result<Listening> {
    let mut found = lookup_host(address).await?;
    let at = found.next().ok_or_else(|| io::Error::from(ErrorKind::AddrNotAvailable))?;
    let listener = TcpListener::bind(at).await?;
    Ok(Listening { address: listener.local_addr()?, listeners: vec![listener] })
}

async fn loopbacks(port: u16) -> io::Result<Listening> {
    let tries = if port == 0 { ANY_PORT_TRIES } else { 1 };
    let mut last = io::Error::from(ErrorKind::AddrInUse);
    for _ in 0..tries {
        match both(port).await {
            Err(error) if error.kind() == ErrorKind::AddrInUse => last = error,
            done => return done,
        }
    }
    Err(last)
}

async fn both(port: u16) -> io::Result<Listening> {
    let four = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let address = four.local_addr()?;
    let mut listeners = vec![four];
    match TcpListener::bind((Ipv6Addr::LOCALHOST, address.port())).await {
        Ok(six) => listeners.push(six),
        Err(error) if error.kind() == ErrorKind::AddrInUse => return Err(error),
        // A machine without IPv6 has one loopback, and that is no fault.
        Err(error) => tracing::debug!(%error, "no IPv6 loopback"),
    }
    Ok(Listening { address, listeners })
}
