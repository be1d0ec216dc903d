//! A plain TCP forwarder, so that a broker on a port of its own choice has a well-known address.

use std::{io, time::Duration};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::LogError;

/// Connections carried at the same time; further ones wait.
const CONNECTIONS_MAX: usize = 256;

/// How long to wait after the machine refused a connection (no file descriptors left).
const ACCEPT_DELAY: Duration = Duration::from_millis(100);

/// Hands every connection of `listener` on to `target` until `stop`, which ends them all.
pub(super) async fn forward(
    target: String,
    listener: TcpListener,
    stop: CancellationToken,
) -> Result<(), LogError> {
    let mut carried = JoinSet::new();
    loop {
        let full = carried.len() >= CONNECTIONS_MAX;
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            Some(_) = carried.join_next() => {}
            accepted = listener.accept(), if !full => match accepted {
                Ok((client, _)) => {
                    carried.spawn(carry(client, target.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "the broker's address accepts no connection");
                    let () = tokio::time::sleep(ACCEPT_DELAY).await;
                }
            },
        }
    }
}

/// One connection. However it ends, both sides see their end of it.
async fn carry(mut client: TcpStream, target: String) {
    let both = async {
        let mut broker = TcpStream::connect(&target).await?;
        client.set_nodelay(true)?;
        broker.set_nodelay(true)?;
        copy_bidirectional(&mut client, &mut broker).await?;
        Ok::<(), io::Error>(())
    };
    if let Err(error) = both.await {
        tracing::debug!(%error, "a forwarded connection ended");
    }
}
