//! One PostgreSQL server from the distribution's package, without a container.

use std::{
    fs::{self, OpenOptions},
    hash::{DefaultHasher, Hash, Hasher},
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::Context;
use oms_seams::{Ids, SystemIds};

use crate::{account, installed, ports, program};

const FIX: &str = "apt-get install postgresql";
/// Where Debian's packages put the programs of each version.
const DEBIAN: &str = "/usr/lib/postgresql";
const WITHIN: Duration = Duration::from_secs(90);
/// Enough for two instances of every service and for a suite of tests.
const CONNECTIONS: u16 = 300;

/// A server in a folder of its own. Every commit is on disk, as in production.
#[derive(Clone, Debug)]
pub struct Postgres {
    home: PathBuf,
    port: u16,
    password: String,
}

impl Postgres {
    /// Makes a new server in an empty folder and starts it.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start.
    pub fn create(folder: &Path) -> anyhow::Result<Self> {
        let programs = programs()?;
        let home = home(folder)?;
        let _not_there = fs::remove_dir_all(&home);
        fs::create_dir_all(&home)?;
        account::give(&home)?;
        let [port] = ports::free()?;
        let password = SystemIds.next().simple().to_string();
        for (name, text) in [("port", port.to_string()), ("password", password.clone())] {
            fs::write(home.join(name), text)?;
            account::give(&home.join(name))?;
        }
        let server = Self { home, port, password };
        let mut initdb = account::command(programs.join("initdb"));
        initdb
            .args(["--username=postgres", "--encoding=UTF8", "--locale=C", "--auth=md5"])
            .arg(format!("--pwfile={}", server.home.join("password").display()))
            .arg(format!("--pgdata={}", server.data().display()))
            .current_dir(&server.home);
        program::run(&mut initdb, &folder.join("initdb.log"), WITHIN)?;
        // SCRAM hashes 4096 times for each connection: seconds in an unoptimised build, and a pool
        // that opens eight at once takes that for an outage.
        let settings = format!(
            "port = {port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n\
             max_connections = {CONNECTIONS}\npassword_encryption = md5\n"
        );
        let conf = server.data().join("postgresql.conf");
        OpenOptions::new().append(true).open(conf)?.write_all(settings.as_bytes())?;
        server.start()?;
        Ok(server)
    }

    /// The server that was made in a folder.
    ///
    /// # Errors
    /// When there is none.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        let home = home(folder)?;
        let read = |name| {
            fs::read_to_string(home.join(name))
                .with_context(|| format!("no PostgreSQL server in {}", home.display()))
        };
        let (port, password) = (read("port")?.trim().parse()?, read("password")?);
        Ok(Self { home, port, password })
    }

    /// The URL of its administrator.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://postgres:{}@127.0.0.1:{}/postgres", self.password, self.port)
    }

    /// Starts it and waits until it answers.
    ///
    /// # Errors
    /// When it does not, with the last lines of its log.
    pub fn start(&self) -> anyhow::Result<()> {
        let log = self.home.join("postgres.log");
        let started = self.pg_ctl(&["start", "--wait", "--timeout=60", "--log"], Some(&log));
        started.with_context(|| format!("PostgreSQL says:\n{}", program::tail(&log)))
    }

    /// Ends it as a power cut would: nothing is finished, the next start recovers.
    ///
    /// # Errors
    /// When it does not end.
    pub fn stop_at_once(&self) -> anyhow::Result<()> {
        self.pg_ctl(&["stop", "--wait", "--mode=immediate"], None)
    }

    /// Ends it, if it runs.
    ///
    /// # Errors
    /// When it does not end.
    pub fn stop(&self) -> anyhow::Result<()> {
        if !self.data().join("postmaster.pid").exists() {
            return Ok(());
        }
        self.pg_ctl(&["stop", "--wait", "--mode=fast"], None).or_else(|error| {
            // A file left by a server that was killed.
            if self.runs() { Err(error) } else { Ok(()) }
        })
    }

    /// Ends it and deletes all it has.
    pub(crate) fn remove(&self) -> anyhow::Result<()> {
        self.stop()?;
        fs::remove_dir_all(&self.home)?;
        Ok(())
    }

    fn runs(&self) -> bool {
        let Ok(programs) = programs() else { return false };
        let status = account::command(programs.join("pg_ctl"))
            .arg(format!("--pgdata={}", self.data().display()))
            .arg("status")
            .current_dir(&self.home)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        status.is_ok_and(|status| status.success())
    }

    fn pg_ctl(&self, arguments: &[&str], last: Option<&Path>) -> anyhow::Result<()> {
        let mut command: Command = account::command(programs()?.join("pg_ctl"));
        command.arg(format!("--pgdata={}", self.data().display())).args(arguments).args(last);
        command.current_dir(&self.home);
        program::run(&mut command, &self.home.join("pg_ctl.log"), WITHIN)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.home.join("data")
    }
}

/// Where the server lives: in the folder, or, where PostgreSQL's own user may not enter it, in the
/// folder for temporary files under a name of its own.
fn home(folder: &Path) -> anyhow::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    if account::can_enter(folder) {
        return Ok(folder.join("home"));
    }
    let mut hash = DefaultHasher::new();
    folder.hash(&mut hash);
    Ok(std::env::temp_dir().join(format!("oms-postgres-{:x}", hash.finish())))
}

/// The folder of `initdb`, `pg_ctl` and `postgres`, the newest version first.
fn programs() -> anyhow::Result<PathBuf> {
    let mut folders: Vec<PathBuf> = Vec::new();
    if let Ok(versions) = fs::read_dir(DEBIAN) {
        folders.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    folders.sort_by_key(|bin| {
        let version = bin.parent().and_then(Path::file_name).map(|name| name.to_string_lossy());
        version.and_then(|version| version.parse::<u32>().ok()).unwrap_or(0)
    });
    folders.reverse();
    folders.extend(installed::on_path("initdb").and_then(|file| Some(file.parent()?.to_owned())));
    let whole = |folder: &PathBuf| {
        ["initdb", "pg_ctl", "postgres"].iter().all(|name| folder.join(name).exists())
    };
    folders.into_iter().find(whole).with_context(|| format!("PostgreSQL is missing: {FIX}"))
}
