//! Free ports that stay free while their server is down.

use std::{
    net::{Ipv4Addr, TcpListener},
    sync::atomic::{AtomicU16, Ordering},
};

use anyhow::bail;

/// Below the ports that systems give to outgoing connections (from 32768 on Linux): a client that
/// tries again and again to reach a server that is down must never be given that server's port.
const FIRST: u16 = 15_000;
const COUNT: u16 = 15_000;

/// Where the next search begins, so that no port is given twice by one process.
static NEXT: AtomicU16 = AtomicU16::new(0);

/// So many ports on the loopback that nobody listens on.
///
/// # Errors
/// When this machine has too few.
pub fn free<const N: usize>() -> anyhow::Result<[u16; N]> {
    let mut found = [0; N];
    for port in &mut found {
        *port = one()?;
    }
    Ok(found)
}

fn one() -> anyhow::Result<u16> {
    // Processes begin at different places.
    let start = (std::process::id() % u32::from(COUNT)) as u16;
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + (start.wrapping_mul(37) % COUNT + step % COUNT) % COUNT;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port between {FIRST} and {} is free", FIRST + COUNT)
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        thread::sleep,
        time::{Duration, Instant},
    };

    use super::*;

    /// Another test's child holds a port that was let go a moment ago, until it has become the
    /// program it is for.
    fn bound(port: u16) -> io::Result<TcpListener> {
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                    if Instant::now() > until {
                        return Err(error);
                    }
                    sleep(Duration::from_millis(1));
                }
                bound => return bound,
            }
        }
    }

    #[test]
    fn ports_differ_and_can_be_bound() {
        let ports = free::<20>().unwrap();
        let held: Vec<_> = ports.iter().map(|port| bound(*port)).collect();
        assert!(held.iter().all(Result::is_ok), "{held:?}");
        assert!(ports.iter().all(|port| (FIRST..FIRST + COUNT).contains(port)));
    }
}
