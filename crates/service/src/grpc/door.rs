//! How connections come in: plaintext, or TLS on the same port where there is a certificate.
//!
//! The first byte tells: 0x16 begins a TLS handshake, and no HTTP/2 connection begins with it.

use std::{io, pin::Pin, time::Duration};

use futures::{Stream, StreamExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::connection::{Connection, Wire};
use crate::{listen::Listening, tls::Tls};

/// The first byte of a TLS handshake.
///
/// Source: RFC 8446, section 5.1, `ContentType`.
const HANDSHAKE: u8 = 0x16;
/// How long a connection may take until it speaks, and its handshake is done.
const OPEN_WITHIN: Duration = Duration::from_secs(10);
/// Connections that are being opened at the same time; more wait to be accepted.
const OPENING_MAX: usize = 512;

/// Connections as a server takes them.
pub(super) type Connections = Pin<Box<dyn Stream<Item = io::Result<Connection>> + Send>>;

/// The sockets of a port, and what else than plaintext it answers.
#[derive(Debug)]
pub(crate) struct Door {
    listening: Listening,
    tls: Option<Tls>,
}

impl Door {
    pub(crate) fn new(listening: Listening, tls: Option<Tls>) -> Self {
        Self { listening, tls }
    }

    /// Every connection, as soon as it is open, without end. Those that are slow hold up nobody;
    /// those that fail are only told in the log. All break when `hang_up` is cancelled.
    pub(super) fn connections(self, hang_up: CancellationToken) -> Connections {
        let incoming = self.listening.incoming();
        let Some(tls) = self.tls else {
            let plain = move |stream| Connection::new(Wire::Plain(stream), hang_up.clone());
            return Box::pin(incoming.map(move |accepted| accepted.map(&plain)));
        };
        let opened = incoming
            .map(move |accepted| open(accepted, tls.clone()))
            .buffer_unordered(OPENING_MAX)
            .filter_map(async |wire| wire);
        Box::pin(opened.map(move |wire| Ok(Connection::new(wire, hang_up.clone()))))
    }
}

/// Waits for the first byte, and does what it asks for.
async fn open(accepted: io::Result<TcpStream>, tls: Tls) -> Option<Wire> {
    let opening = async {
        let stream = accepted?;
        let mut first = [0];
        // Nothing is read: whoever takes the stream begins at its beginning.
        if stream.peek(&mut first).await? == 1 && first == [HANDSHAKE] {
            let stream = tls.acceptor().accept(stream).await?;
            return Ok(Wire::Tls(Box::new(stream)));
        }
        Ok::<_, io::Error>(Wire::Plain(stream))
    };
    match tokio::time::timeout(OPEN_WITHIN, opening).await {
        Ok(Ok(wire)) => Some(wire),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a connection could not be opened");
            None
        }
        Err(_) => {
            tracing::debug!("a connection said nothing, or did not end its handshake, in time");
            None
        }
    }
}
