//! The servers in one scratch folder, or those that are named.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    thread,
};

use anyhow::{Context, anyhow};

use crate::{Jaeger, JaegerAt, Kafka, Postgres};

/// The bootstrap address of Kafka, for tests.
const KAFKA: &str = "OMS_TEST_KAFKA";
/// The URL of PostgreSQL's administrator, for tests.
const POSTGRES: &str = "OMS_TEST_POSTGRES";
/// Where a Jaeger takes spans, and where it shows them, for tests.
const JAEGER: [&str; 2] = ["OMS_TEST_JAEGER_OTLP", "OMS_TEST_JAEGER"];
/// The folder of servers that tests may stop.
const FOLDER: &str = "OMS_TEST_SERVERS";

/// Servers that are there already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// Kafka's bootstrap address.
    pub kafka: Option<String>,
    /// The URL of PostgreSQL's administrator.
    pub postgres: Option<String>,
    /// Where a Jaeger is.
    pub jaeger: Option<JaegerAt>,
    /// The folder of servers that may be stopped.
    pub folder: Option<PathBuf>,
}

impl Named {
    /// What the environment names.
    #[must_use]
    pub fn in_environment() -> Self {
        let given = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let text = |name| given(name).and_then(|value| value.into_string().ok());
        let [otlp, page] = JAEGER.map(text);
        Self {
            kafka: text(KAFKA),
            postgres: text(POSTGRES),
            jaeger: otlp.zip(page).map(|(otlp, page)| JaegerAt { otlp, page }),
            folder: given(FOLDER).map(Into::into),
        }
    }
}

/// What is started besides Kafka and PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// A Jaeger.
    Jaeger,
}

/// Kafka and PostgreSQL for tests.
#[derive(Debug)]
pub struct Servers {
    folder: PathBuf,
    /// The broker, where it is ours to stop.
    pub kafka: Option<Kafka>,
    /// The server, where it is ours to stop.
    pub postgres: Option<Postgres>,
    jaeger: Option<Jaeger>,
    named: Named,
    /// Held as long as the folder is in use by this process.
    _lock: Option<File>,
}

impl Servers {
    /// Starts what is not named, in `folder`, and what is wished for besides; what an earlier run
    /// left there is ended and deleted.
    ///
    /// # Errors
    /// When a program is missing, with the fix; when another run uses the folder; when a server
    /// does not start.
    pub fn start(folder: &Path, named: Named, wishes: &[Wish]) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let lock = File::create(folder.with_extension("lock"))?;
        lock.try_lock().map_err(|_| {
            anyhow!("{} is in use by another run: wait for its end", folder.display())
        })?;
        remove(folder)?;
        fs::create_dir_all(folder)?;
        let mut servers = Self {
            folder: folder.to_owned(),
            kafka: None,
            postgres: None,
            jaeger: None,
            named,
            _lock: Some(lock),
        };
        let started = servers.start_missing(wishes);
        if started.is_err() {
            // The failure is what matters, not what else goes wrong on the way out.
            let _also = remove(folder);
        }
        started.map(|()| servers)
    }

    fn start_missing(&mut self, wishes: &[Wish]) -> anyhow::Result<()> {
        if wishes.contains(&Wish::Jaeger) && self.named.jaeger.is_none() {
            // First: what is missing for it is told before the others have been waited for.
            let binary = Jaeger::build(&self.folder)?;
            self.jaeger = Some(Jaeger::start(&binary, &self.folder.join("jaeger"))?);
        }
        let (kafka, postgres) = (self.folder.join("kafka"), self.folder.join("postgres"));
        let cache = self.folder.with_file_name("kafka-cache");
        let wanted = (self.named.kafka.is_none(), self.named.postgres.is_none());
        thread::scope(|scope| {
            let kafka = scope.spawn(|| {
                let broker = wanted.0.then(|| Kafka::create(&kafka, &cache)).transpose()?;
                broker.iter().try_for_each(Kafka::start)?;
                anyhow::Ok(broker)
            });
            let postgres = wanted.1.then(|| Postgres::create(&postgres)).transpose();
            self.kafka = kafka.join().map_err(|_| anyhow!("starting Kafka panicked"))??;
            self.postgres = postgres?;
            Ok(())
        })
    }

    /// The servers that another process started and watches over, or that are named.
    ///
    /// # Errors
    /// When none are named.
    pub fn of(named: Named) -> anyhow::Result<Self> {
        let none = "no servers are named: run it by `cargo xtask servers run -- …`";
        anyhow::ensure!(named.kafka.is_some() && named.postgres.is_some(), none);
        let folder = named.folder.clone();
        let ours = |name: &str| folder.as_ref().map(|folder| folder.join(name));
        let kafka = ours("kafka").and_then(|folder| Kafka::open(&folder).ok());
        let postgres = ours("postgres").and_then(|folder| Postgres::open(&folder).ok());
        let jaeger = ours("jaeger").and_then(|folder| Jaeger::open(&folder).ok());
        let folder = folder.unwrap_or_else(std::env::temp_dir);
        Ok(Self { folder, kafka, postgres, jaeger, named, _lock: None })
    }

    /// Kafka's bootstrap address.
    #[must_use]
    pub fn kafka_address(&self) -> String {
        let ours = self.kafka.as_ref().map(Kafka::address);
        ours.or_else(|| self.named.kafka.clone()).unwrap_or_default()
    }

    /// The URL of PostgreSQL's administrator.
    #[must_use]
    pub fn postgres_url(&self) -> String {
        let ours = self.postgres.as_ref().map(Postgres::url);
        ours.or_else(|| self.named.postgres.clone()).unwrap_or_default()
    }

    /// Where a Jaeger is, if there is one.
    #[must_use]
    pub fn jaeger(&self) -> Option<JaegerAt> {
        self.jaeger.as_ref().map(Jaeger::at).or_else(|| self.named.jaeger.clone())
    }

    /// The folder of logs and further servers.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// How a command is told of the servers.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let mut environment = vec![
            (KAFKA, self.kafka_address()),
            (POSTGRES, self.postgres_url()),
            (FOLDER, self.folder.display().to_string()),
        ];
        if let Some(JaegerAt { otlp, page }) = self.jaeger() {
            environment.extend(JAEGER.into_iter().zip([otlp, page]));
        }
        environment
    }

    /// Ends what was started here and deletes the folder.
    ///
    /// # Errors
    /// When a server does not end.
    pub fn stop(self) -> anyhow::Result<()> {
        remove(&self.folder)
    }
}

/// Ends the servers of a folder, whoever started them, and deletes it.
///
/// # Errors
/// When a server does not end.
pub fn remove(folder: &Path) -> anyhow::Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries.flatten() {
        // Each server has a folder of its own, and one that was never made is not there.
        if let Ok(kafka) = Kafka::open(&entry.path()) {
            kafka.kill()?;
        } else if let Ok(jaeger) = Jaeger::open(&entry.path()) {
            jaeger.kill()?;
        } else if entry.path().is_dir()
            && let Ok(postgres) = Postgres::open(&entry.path())
        {
            postgres.remove()?;
        }
    }
    fs::remove_dir_all(folder).with_context(|| format!("cannot delete {}", folder.display()))
}
