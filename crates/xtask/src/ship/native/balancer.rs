//! What a Service of Kubernetes is to its clients: one address, whoever is behind it.

use std::{
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

/// Passes connections on; those that are there stay where they are.
pub(super) struct Balancer {
    behind: Arc<AtomicU16>,
    accepting: JoinHandle<()>,
}

impl Balancer {
    /// Listens on a port; nobody is behind it yet.
    #[allow(clippy::disallowed_methods, reason = "ended by its owner, and its end is no news")]
    pub(super) async fn listen(port: u16) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let behind = Arc::new(AtomicU16::new(0));
        let accepting = tokio::spawn(accept(listener, behind.clone()));
        Ok(Self { behind, accepting })
    }

    /// Sends new connections to `port`.
    pub(super) fn send_to(&self, port: u16) {
        self.behind.store(port, Ordering::Release);
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, behind: Arc<AtomicU16>) {
    let mut passing = JoinSet::new();
    loop {
        let Ok((mut client, _)) = listener.accept().await else { continue };
        let port = behind.load(Ordering::Acquire);
        passing.spawn(async move {
            // A connection that breaks is the client's to notice.
            if let Ok(mut server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
                let _ = copy_bidirectional(&mut client, &mut server).await;
            }
        });
        while passing.try_join_next().is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn server(says: &'static [u8]) -> (u16, JoinSet<()>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                stream.write_all(says).await.unwrap();
            }
        });
        (port, serving)
    }

    async fn asked(port: u16) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).await.unwrap();
        said
    }

    #[tokio::test]
    async fn new_connections_go_to_whoever_is_behind_it_now() {
        let ((old, _a), (new, _b)) = (server(b"old").await, server(b"new").await);
        let [port] = oms_servers::ports::free().unwrap();
        let balancer = Balancer::listen(port).await.unwrap();
        balancer.send_to(old);
        assert_eq!(asked(port).await, "old");
        balancer.send_to(new);
        assert_eq!(asked(port).await, "new");
    }
}
