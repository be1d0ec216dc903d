//! One Apache Kafka broker, its own controller (`KRaft`), without a container.

use std::{
    fs::{self, OpenOptions},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use rdkafka::{
    ClientConfig,
    consumer::{BaseConsumer, Consumer},
};

use crate::{jars, pids, ports, program};

const FORMATTED_WITHIN: Duration = Duration::from_secs(60);
const READY_WITHIN: Duration = Duration::from_secs(90);
const GONE_WITHIN: Duration = Duration::from_secs(30);
const ANSWER_WITHIN: Duration = Duration::from_millis(500);
/// Sixteen bytes in base64, as Kafka wants it.
const CLUSTER_ID: &str = "b21zIHRlc3QgY2x1c3Rlcg";

/// A broker in a folder of its own. What it holds survives stopping.
#[derive(Clone, Debug)]
pub struct Kafka {
    folder: PathBuf,
    port: u16,
}

impl Kafka {
    /// Makes a new broker in an empty folder; it does not run yet.
    pub(crate) fn create(folder: &Path, cache: &Path) -> anyhow::Result<Self> {
        let jars = jars::folder(cache)?;
        fs::create_dir_all(folder)?;
        let [port, controller] = ports::free()?;
        let kafka = Self { folder: folder.to_owned(), port };
        fs::write(kafka.properties(), properties(port, controller, &folder.join("data")))?;
        fs::write(folder.join("port"), port.to_string())?;
        fs::write(folder.join("jars"), jars.display().to_string())?;
        kafka.format(&[])?;
        Ok(kafka)
    }

    /// The broker that was made in a folder.
    ///
    /// # Errors
    /// When there is none.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        let port = fs::read_to_string(folder.join("port"))
            .with_context(|| format!("no broker in {}", folder.display()))?;
        Ok(Self { folder: folder.to_owned(), port: port.trim().parse()? })
    }

    /// Its bootstrap address.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Starts it and waits until it answers.
    ///
    /// # Errors
    /// When it ends or does not answer in time, with the last lines of its log.
    pub fn start(&self) -> anyhow::Result<()> {
        let log = OpenOptions::new().create(true).append(true).open(self.log())?;
        // A group of its own: Ctrl-C in a terminal is for whoever watches over it.
        let mut broker = self
            .java("kafka.Kafka")?
            .arg(self.properties())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()?;
        pids::write(&self.pid(), broker.id())?;
        self.wait_until_ready(&mut broker)
    }

    /// Tells it to shut down and waits until it is gone.
    ///
    /// # Errors
    /// When it does not end even when killed.
    pub fn stop(&self) -> anyhow::Result<()> {
        match pids::end(&self.pid(), &self.mark(), "TERM", GONE_WITHIN) {
            Ok(()) => Ok(()),
            Err(_) => self.kill(),
        }
    }

    /// `kill -9`.
    ///
    /// # Errors
    /// When it does not end.
    pub fn kill(&self) -> anyhow::Result<()> {
        pids::end(&self.pid(), &self.mark(), "KILL", GONE_WITHIN)
    }

    /// Makes it an empty broker again, with a user from the start.
    pub(crate) fn format_anew(&self, scram: &str) -> anyhow::Result<()> {
        fs::remove_dir_all(self.folder.join("data"))?;
        self.format(&["--add-scram", scram])
    }

    fn format(&self, more: &[&str]) -> anyhow::Result<()> {
        let mut format = self.java("kafka.tools.StorageTool")?;
        format.args(["format", "--standalone", "-t", CLUSTER_ID, "-c"]).arg(self.properties());
        format.args(more);
        program::run(&mut format, &self.folder.join("format.log"), FORMATTED_WITHIN)
    }

    fn wait_until_ready(&self, broker: &mut Child) -> anyhow::Result<()> {
        let client: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", self.address())
            .set("reconnect.backoff.ms", "20")
            .set("reconnect.backoff.max.ms", "100")
            .set_log_level(rdkafka::config::RDKafkaLogLevel::Emerg)
            .create()?;
        let until = Instant::now() + READY_WITHIN;
        loop {
            if let Some(status) = broker.try_wait()? {
                bail!("Kafka ended with {status}:\n{}", program::tail(&self.log()));
            }
            let answer = client.fetch_metadata(None, ANSWER_WITHIN);
            if answer.is_ok_and(|cluster| !cluster.brokers().is_empty()) {
                return Ok(());
            }
            if Instant::now() > until {
                let log = program::tail(&self.log());
                bail!("Kafka does not answer within {READY_WITHIN:?}:\n{log}");
            }
        }
    }

    fn java(&self, class: &str) -> anyhow::Result<Command> {
        let jars = fs::read_to_string(self.folder.join("jars"))?;
        let mut command = Command::new(jars::java()?);
        command.args(["-Xmx512m", "-cp", &format!("{}/*", jars.trim()), class]);
        Ok(command)
    }

    pub(crate) fn properties(&self) -> PathBuf {
        self.folder.join("server.properties")
    }

    fn log(&self) -> PathBuf {
        self.folder.join("kafka.log")
    }

    fn pid(&self) -> PathBuf {
        self.folder.join("kafka.pid")
    }

    /// What is in the broker's command line and in no other's.
    fn mark(&self) -> String {
        self.properties().display().to_string()
    }
}

fn properties(port: u16, controller: u16, data: &Path) -> String {
    format!(
        "process.roles=broker,controller\n\
         node.id=1\n\
         controller.quorum.bootstrap.servers=127.0.0.1:{controller}\n\
         controller.listener.names=CONTROLLER\n\
         listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{port}\n\
         log.dirs={}\n\
         auto.create.topics.enable=false\n\
         group.initial.rebalance.delay.ms=0\n\
         offsets.topic.num.partitions=4\n\
         offsets.topic.replication.factor=1\n\
         transaction.state.log.num.partitions=1\n\
         transaction.state.log.replication.factor=1\n\
         transaction.state.log.min.isr=1\n\
         share.coordinator.state.topic.num.partitions=1\n\
         share.coordinator.state.topic.replication.factor=1\n\
         share.coordinator.state.topic.min.isr=1\n",
        data.display()
    )
}
