//! `oms run` as a process of its own: started, asked, killed.

use std::{
    ffi::OsStr,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{ExitStatus, Output, Stdio},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use tokio::{
    process::{Child, Command},
    time::Instant,
};
use tonic::transport::{Channel, Endpoint};

const READY_WITHIN: Duration = Duration::from_secs(60);

/// The ports of one system, free when they were chosen.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    /// `oms.v1.OrderService`.
    pub order: u16,
    /// `orders.Orders`.
    pub orders: u16,
    /// `oms.v1.InventoryService`.
    pub inventory: u16,
    /// `oms.v1.PaymentService`.
    pub payment: u16,
    /// Metrics and health.
    pub admin: u16,
    /// Kafka's bootstrap address.
    pub kafka: u16,
}

impl Ports {
    /// Six free ports.
    ///
    /// # Errors
    /// When the machine has none.
    pub fn free() -> anyhow::Result<Self> {
        let held: Vec<TcpListener> = (0..6)
            .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
            .collect::<Result<_, _>>()?;
        let mut ports = held.iter().map(|listener| listener.local_addr().map(|at| at.port()));
        let mut next = || anyhow::Ok(ports.next().context("six were bound")??);
        Ok(Self {
            order: next()?,
            orders: next()?,
            inventory: next()?,
            payment: next()?,
            admin: next()?,
            kafka: next()?,
        })
    }

    /// A loopback address.
    #[must_use]
    pub fn at(port: u16) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, port))
    }

    /// A connection to a gRPC service, made with the first call.
    ///
    /// # Panics
    /// Outside a runtime.
    #[must_use]
    pub fn channel(port: u16) -> Channel {
        let url = format!("http://{}", Self::at(port));
        Endpoint::from_shared(url).expect("a URL of our own").connect_lazy()
    }

    fn environment(&self) -> [(&'static str, String); 6] {
        let listen = |port: u16| format!("localhost:{port}");
        [
            ("OMS_ORDER__GRPC__LISTEN", listen(self.order)),
            ("OMS_ORDER__ORDERS__LISTEN", listen(self.orders)),
            ("OMS_INVENTORY__GRPC__LISTEN", listen(self.inventory)),
            ("OMS_PAYMENT__GRPC__LISTEN", listen(self.payment)),
            ("OMS_OMS__ADMIN__LISTEN", listen(self.admin)),
            ("OMS_OMS__KAFKA_LISTEN", listen(self.kafka)),
        ]
    }
}

/// The `oms` binary of this build, ready to be given arguments.
///
/// # Panics
/// When it has not been built: `cargo build -p oms` does.
#[must_use]
pub fn oms_command() -> Command {
    program("oms")
}

/// A binary of this build: `oms`, or a service of its own.
///
/// # Panics
/// When it has not been built.
#[must_use]
pub fn program(name: &str) -> Command {
    let test = std::env::current_exe().expect("a test runs from a file");
    let folder = test.ancestors().nth(2).map(Path::to_path_buf).unwrap_or_default();
    let binary: PathBuf = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(binary.exists(), "{} is missing: run `cargo build -p {name}`", binary.display());
    let mut command = Command::new(binary);
    command.kill_on_drop(true).stdin(Stdio::null());
    command
}

/// A running system.
#[derive(Debug)]
pub struct OmsProcess {
    child: Child,
    /// Where it listens.
    pub ports: Ports,
}

impl OmsProcess {
    /// Starts `oms run` on a data folder and waits until it is ready.
    ///
    /// # Errors
    /// When it ends or is not ready in time; its own output is in `<data>/output.log`.
    pub async fn start(data: &Path, ports: Ports) -> anyhow::Result<Self> {
        Self::start_with(data, ports, std::iter::empty::<(&str, &str)>()).await
    }

    /// The same with further environment.
    ///
    /// # Errors
    /// See [`OmsProcess::start`].
    pub async fn start_with<K: AsRef<OsStr>, V: AsRef<OsStr>>(
        data: &Path,
        ports: Ports,
        environment: impl IntoIterator<Item = (K, V)>,
    ) -> anyhow::Result<Self> {
        let log =
            std::fs::OpenOptions::new().create(true).append(true).open(data.join("output.log"))?;
        let child = oms_command()
            .args(["run", "--data"])
            .arg(data)
            .envs(ports.environment())
            .envs(environment)
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let mut process = Self { child, ports };
        process.ready().await?;
        Ok(process)
    }

    async fn ready(&mut self) -> anyhow::Result<()> {
        let until = Instant::now() + READY_WITHIN;
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!("oms run ended with {status} before it was ready");
            }
            let answer = crate::get(Ports::at(self.ports.admin), "/readyz").await;
            if matches!(answer, Ok((200, _))) {
                return Ok(());
            }
            ensure!(Instant::now() < until, "not ready within {READY_WITHIN:?}: {answer:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// `kill -9`: no farewell, no flush.
    ///
    /// # Errors
    /// When there is nothing to kill.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Ctrl-C, then waits for the process to end by itself.
    ///
    /// # Errors
    /// When it does not end within `within`.
    pub async fn interrupt(mut self, within: Duration) -> anyhow::Result<ExitStatus> {
        let pid = self.child.id().context("the process has ended")?;
        let sent = Command::new("kill").args(["-INT", &pid.to_string()]).status().await?;
        ensure!(sent.success(), "kill -INT {pid}");
        let ended = tokio::time::timeout(within, self.child.wait()).await;
        Ok(ended.with_context(|| format!("still running {within:?} after Ctrl-C"))??)
    }

    /// Runs `oms run` expecting it to refuse, and returns what it said.
    ///
    /// # Errors
    /// When it cannot be run.
    pub async fn refused<K: AsRef<OsStr>, V: AsRef<OsStr>>(
        data: &Path,
        ports: Ports,
        environment: impl IntoIterator<Item = (K, V)>,
    ) -> anyhow::Result<Output> {
        let output = oms_command()
            .args(["run", "--data"])
            .arg(data)
            .envs(ports.environment())
            .envs(environment)
            .output();
        Ok(tokio::time::timeout(READY_WITHIN, output).await.context("it did not end")??)
    }
}
