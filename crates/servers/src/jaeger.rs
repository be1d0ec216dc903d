//! Jaeger, all in one process, which keeps the traces it is sent in memory.

use std::{
    fs::{self, OpenOptions},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};

use crate::{gomodule, pids, ports, program};

const READY_WITHIN: Duration = Duration::from_secs(60);
const GONE_WITHIN: Duration = Duration::from_secs(30);
const CONNECTED_WITHIN: Duration = Duration::from_millis(200);
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// What it keeps; the oldest goes first.
const TRACES_MAX: u32 = 20_000;
/// The file that says where it listens.
const PORTS: &str = "jaeger.ports";

/// A Jaeger in a folder of its own.
#[derive(Clone, Debug)]
pub struct Jaeger {
    folder: PathBuf,
    otlp: u16,
    query: u16,
}

/// Where a Jaeger is, whoever started it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JaegerAt {
    /// Takes spans by OTLP over gRPC: what `traces.endpoint` has to say.
    pub otlp: String,
    /// Its pages, and its query API under `/api`.
    pub page: String,
}

impl Jaeger {
    /// Builds it, unless it was built before, for servers in `folder`.
    ///
    /// # Errors
    /// Why there can be none on this machine, with the fix.
    pub fn build(folder: &Path) -> anyhow::Result<PathBuf> {
        gomodule::JAEGER.program(&folder.with_file_name("jaeger-cache"))
    }

    /// Starts one in an empty folder and waits until it listens.
    pub(crate) fn start(binary: &Path, folder: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let [otlp, query, http, admin, grpc] = ports::free()?;
        let jaeger = Self { folder: folder.to_owned(), otlp, query };
        fs::write(folder.join(PORTS), format!("{otlp} {query}"))?;
        let log = OpenOptions::new().create(true).append(true).open(jaeger.log())?;
        let mut command = Command::new(binary);
        for (what, port) in [
            ("collector.otlp.grpc", otlp),
            ("collector.otlp.http", http),
            ("query.http-server", query),
            ("query.grpc-server", grpc),
            ("admin.http", admin),
            // Older protocols, which nobody speaks here: any port.
            ("collector.http-server", 0),
            ("collector.grpc-server", 0),
        ] {
            command.arg(format!("--{what}.host-port=127.0.0.1:{port}"));
        }
        // A group of its own: Ctrl-C in a terminal is for whoever watches over it.
        let mut child = command
            .arg(format!("--memory.max-traces={TRACES_MAX}"))
            .env("SPAN_STORAGE_TYPE", "memory")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()?;
        pids::write(&jaeger.pid(), child.id())?;
        jaeger.wait_until_ready(&mut child)?;
        Ok(jaeger)
    }

    fn wait_until_ready(&self, child: &mut Child) -> anyhow::Result<()> {
        let until = Instant::now() + READY_WITHIN;
        while ![self.otlp, self.query].into_iter().all(listens) {
            if let Some(status) = child.try_wait()? {
                bail!("Jaeger ended with {status}:\n{}", program::tail(&self.log()));
            }
            if Instant::now() > until {
                let log = program::tail(&self.log());
                bail!("Jaeger does not listen within {READY_WITHIN:?}:\n{log}");
            }
            thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    /// The one that was started in a folder.
    ///
    /// # Errors
    /// When there is none.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        let ports = fs::read_to_string(folder.join(PORTS))
            .with_context(|| format!("no Jaeger in {}", folder.display()))?;
        let (otlp, query) = ports.trim().split_once(' ').context(PORTS)?;
        Ok(Self { folder: folder.to_owned(), otlp: otlp.parse()?, query: query.parse()? })
    }

    /// Where it is.
    #[must_use]
    pub fn at(&self) -> JaegerAt {
        let url = |port: u16| format!("http://127.0.0.1:{port}");
        JaegerAt { otlp: url(self.otlp), page: url(self.query) }
    }

    /// `kill -9`: it holds nothing that has to be kept.
    ///
    /// # Errors
    /// When it does not end.
    pub fn kill(&self) -> anyhow::Result<()> {
        let mark = format!("otlp.grpc.host-port=127.0.0.1:{}", self.otlp);
        pids::end(&self.pid(), &mark, "KILL", GONE_WITHIN)
    }

    fn log(&self) -> PathBuf {
        self.folder.join("jaeger.log")
    }

    fn pid(&self) -> PathBuf {
        self.folder.join("jaeger.pid")
    }
}

fn listens(port: u16) -> bool {
    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpStream::connect_timeout(&at, CONNECTED_WITHIN).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_tells_where_its_jaeger_listens() {
        let folder = tempfile::tempdir().unwrap();
        let error = Jaeger::open(folder.path()).unwrap_err();
        assert!(error.to_string().starts_with("no Jaeger in"), "{error}");
        fs::write(folder.path().join(PORTS), "15001 15002\n").unwrap();
        let at = Jaeger::open(folder.path()).unwrap().at();
        let (otlp, page) = ("http://127.0.0.1:15001".into(), "http://127.0.0.1:15002".into());
        assert_eq!(at, JaegerAt { otlp, page });
    }

    #[test]
    fn one_that_ended_is_told_with_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let [otlp, query] = ports::free().unwrap();
        let jaeger = Jaeger { folder: folder.path().to_owned(), otlp, query };
        fs::write(jaeger.log(), "no such storage").unwrap();
        let mut child = Command::new("false").spawn().unwrap();
        let error = jaeger.wait_until_ready(&mut child).unwrap_err().to_string();
        assert!(error.contains("Jaeger ended") && error.contains("no such storage"), "{error}");
    }
}
