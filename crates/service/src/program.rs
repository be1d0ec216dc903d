//! The whole `main` of a service binary.

use std::{
    future::Future,
    io::{ErrorKind, Write},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use clap::{Parser, Subcommand};
use oms_seams::Seams;
use oms_telemetry::{LogSettings, TraceSettings};
use serde::{Serialize, de::DeserializeOwned};
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    admin::{Admin, AdminSettings},
    config::{self, SECTIONS, Validate},
    error::StartError,
    healthcheck,
    host::Host,
    process::Process,
};

/// How long a drain may take, stalled clients and all; with what follows it the process ends within
/// ten seconds.
pub const DRAIN_MAX: Duration = Duration::from_secs(8);
/// How long a start that waits for its database pauses before it tries again.
const START_AGAIN_AFTER: Duration = Duration::from_secs(2);
/// How long a start is waited for before it is reported as slow.
const READY_REPORT: Duration = Duration::from_secs(30);

/// A service as a program.
pub trait Program: 'static {
    /// The service's name, for example `order`; also the name of its section.
    const NAME: &'static str;
    /// All its settings.
    type Config: Clone + Default + Serialize + DeserializeOwned + Validate + Send + 'static;
    /// What keeps it running.
    type Running: Send;

    /// The `[log]` section.
    fn log(config: &Self::Config) -> &LogSettings;
    /// The `[traces]` section.
    fn traces(config: &Self::Config) -> &TraceSettings;
    /// The service's admin port; its setting is `NAME.admin.listen`.
    fn admin(config: &Self::Config) -> &AdminSettings;
    /// Brings the database up to date and ends.
    fn migrate(config: Self::Config) -> impl Future<Output = Result<(), StartError>> + Send;
    /// Starts the service on `host`.
    fn start(
        config: Self::Config,
        host: Host,
    ) -> impl Future<Output = Result<Self::Running, StartError>> + Send;
}

#[derive(Parser)]
#[command(version, about = "One service of OMS")]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Settings, as TOML.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// One setting, for example order.grpc.listen=localhost:0; may be repeated.
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = config::setting)]
    set: Vec<(String, String)>,
}

#[derive(Clone, Copy, Subcommand)]
enum Command {
    /// Run the service (the default).
    Serve(ServeArguments),
    /// Bring the database up to date and end.
    Migrate,
    /// Print the effective settings, secrets hidden.
    Config,
    /// Ask the running service whether it answers calls; exit code 1 when it does not.
    Healthcheck,
}

#[derive(Clone, Copy, Debug, Default, clap::Args)]
struct ServeArguments {
    /// Wait for a database that is not there yet, or not brought up to date yet, instead of ending.
    #[arg(long)]
    wait_for_database: bool,
}

/// Runs a service binary: `serve` (default), `migrate`, `config` or `healthcheck`. The exit code is
/// that of [`StartError::exit_code`]; the reason is on standard error, one line each.
#[must_use]
pub fn run_service<P: Program>() -> ExitCode {
    let arguments =
        Arguments::try_parse().unwrap_or_else(|misuse| config::without_secrets(misuse).exit());
    match execute::<P>(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut stderr = std::io::stderr().lock();
            for line in error.to_string().lines() {
                let _ = writeln!(stderr, "oms-{}: {line}", P::NAME);
            }
            ExitCode::from(error.exit_code())
        }
    }
}

fn execute<P: Program>(arguments: Arguments) -> Result<(), StartError> {
    let Arguments { command, config, set } = arguments;
    let settings: P::Config = config::load(config.as_deref(), &SECTIONS, &set)?;
    let command = command.unwrap_or(Command::Serve(ServeArguments::default()));
    if let Command::Config = command {
        return print(&config::show(&settings));
    }
    let _guard = oms_telemetry::init(P::log(&settings), P::traces(&settings), &[P::NAME])
        .map_err(|error| StartError::other("log", error))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| StartError::other("runtime", error))?;
    let ended = runtime.block_on(async {
        match command {
            Command::Migrate => P::migrate(settings).await,
            Command::Healthcheck => {
                healthcheck::ask(&admin_setting::<P>(), &P::admin(&settings).listen).await
            }
            Command::Serve(arguments) => serve::<P>(settings, arguments, stop_signal()?).await,
            Command::Config => Ok(()),
        }
    });
    // What still blocks a thread now must not hold the exit up.
    runtime.shutdown_timeout(Duration::from_secs(1));
    ended
}

/// A reader that has gone is no failure.
fn print(page: &str) -> Result<(), StartError> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(page.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(StartError::other("standard output", error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn admin_setting<P: Program>() -> String {
    format!("{}.admin.listen", P::NAME)
}

async fn serve<P: Program>(
    settings: P::Config,
    arguments: ServeArguments,
    stop: impl Future<Output = ()>,
) -> Result<(), StartError> {
    let process = Process::new();
    tokio::pin!(stop);
    let admin = Admin::serve(&process, &admin_setting::<P>(), &P::admin(&settings).listen).await?;
    let host = Host::new(P::NAME, Seams::system(), process.clone());
    let started = tokio::select! {
        started = start::<P>(settings, arguments, &host) => started.map(Some),
        () = &mut stop => Ok(None),
    };
    let running = match started {
        Ok(Some(running)) => running,
        Ok(None) | Err(_) => {
            host.drain(DRAIN_MAX).await;
            return started.map(|_| ());
        }
    };
    tracing::info!(service = P::NAME, admin = %admin.address(), "started");
    let outcome = tokio::select! {
        reason = process.failed().wait() => Err(StartError::Stopped(reason.to_string())),
        () = &mut stop => Ok(()),
        never = report_ready(&host) => match never {},
    };
    tracing::info!(service = P::NAME, "draining");
    host.drain(DRAIN_MAX).await;
    drop(running);
    outcome
}

/// Starts the service; where that is wished, again and again until its database can be used.
async fn start<P: Program>(
    settings: P::Config,
    arguments: ServeArguments,
    host: &Host,
) -> Result<P::Running, StartError> {
    loop {
        match P::start(settings.clone(), host.clone()).await {
            Err(error) if arguments.wait_for_database && error.may_pass() => {
                tracing::warn!(service = P::NAME, "waiting: {error}");
                host.health().component("start").down(format!("waiting: {error}"));
                tokio::time::sleep(START_AGAIN_AFTER).await;
            }
            ended => return ended,
        }
    }
}

/// Logs when the service is ready, and what it waits for while it is not.
async fn report_ready(host: &Host) -> std::convert::Infallible {
    while let Err(slow) = host.ready(READY_REPORT).await {
        tracing::warn!("{slow}");
    }
    tracing::info!(service = host.name(), "ready");
    std::future::pending().await
}

/// Resolves at SIGINT or SIGTERM.
///
/// # Errors
/// When the handlers cannot be installed.
pub fn stop_signal() -> Result<impl Future<Output = ()>, StartError> {
    let listen = |kind| signal(kind).map_err(|error| StartError::other("signals", error));
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use serde::Deserialize;
    use tokio::net::TcpListener;

    use super::*;
    use crate::database::DatabaseError;

    #[derive(Clone, Default, Serialize, Deserialize)]
    struct Config {
        log: LogSettings,
        traces: TraceSettings,
        test: Section,
    }

    #[derive(Clone, Serialize, Deserialize)]
    struct Section {
        admin: AdminSettings,
        fails: bool,
        /// A database that is away until this file is there.
        until: String,
    }

    impl Default for Section {
        fn default() -> Self {
            Self { admin: AdminSettings::at("localhost:0"), fails: false, until: String::new() }
        }
    }

    impl Validate for Config {
        fn violations(&self) -> Vec<String> {
            [self.log.violations("log"), self.test.admin.violations("test.admin")].concat()
        }
    }

    struct Test;

    impl Program for Test {
        const NAME: &'static str = "test";
        type Config = Config;
        type Running = ();

        fn log(config: &Config) -> &LogSettings {
            &config.log
        }

        fn traces(config: &Config) -> &TraceSettings {
            &config.traces
        }

        fn admin(config: &Config) -> &AdminSettings {
            &config.test.admin
        }

        async fn migrate(_config: Config) -> Result<(), StartError> {
            Err(StartError::other("test.database", "no such thing"))
        }

        async fn start(config: Config, host: Host) -> Result<(), StartError> {
            let until = config.test.until;
            if !until.is_empty() && !std::path::Path::new(&until).exists() {
                let missing = vec!["the_first".to_owned()];
                return Err(StartError::database("test", DatabaseError::NoRight { missing }));
            }
            if config.test.fails {
                host.tasks().spawn("worker", async { Err("as asked") });
                return Ok(());
            }
            let stop = host.workers();
            host.tasks().spawn("worker", async move {
                let me = std::process::id().to_string();
                let sent = tokio::process::Command::new("kill").args(["-TERM", &me]).status();
                sent.await.map_err(|error| error.to_string())?;
                stop.cancelled().await;
                Ok::<_, String>(())
            });
            Ok(())
        }
    }

    fn run(arguments: &[&str]) -> Result<(), StartError> {
        let all = ["oms-test"].iter().chain(arguments);
        execute::<Test>(Arguments::try_parse_from(all).unwrap())
    }

    #[test]
    fn a_bad_setting_is_told_before_anything_starts() {
        let error = run(&["--set", "test.admin.listen=nowhere", "--set", "log.level=a=b"]);
        let error = error.unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert_eq!(error.to_string().lines().count(), 2, "{error}");
        assert!(error.to_string().contains("test.admin.listen: "), "{error}");
    }

    #[test]
    fn settings_are_printed_without_starting_anything() {
        run(&["config"]).unwrap();
    }

    #[test]
    fn a_signal_drains_the_program_and_ends_it_well() {
        let (done, ended) = mpsc::channel();
        let program = std::thread::spawn(move || {
            let quiet = ["--set", "log.level=off"];
            let _ = done.send(run(&quiet));
        });
        let ended = ended.recv_timeout(Duration::from_secs(30)).unwrap();
        program.join().unwrap();
        ended.unwrap();
    }

    #[tokio::test]
    async fn a_task_that_fails_ends_the_program_with_its_reason() {
        let mut config = Config::default();
        config.test.fails = true;
        let error = serve::<Test>(config, ServeArguments::default(), std::future::pending())
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), "test: worker: as asked");
        assert_eq!(error.exit_code(), 5);
    }

    #[tokio::test]
    async fn a_start_waits_for_its_database_where_that_is_wished_and_ends_where_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("there");
        let mut config = Config::default();
        config.test.until = file.display().to_string();
        let host = Host::new("test", Seams::system(), Process::new());
        let ends = start::<Test>(config.clone(), ServeArguments::default(), &host).await;
        assert_eq!(ends.unwrap_err().exit_code(), 2);
        let wait = ServeArguments { wait_for_database: true };
        let (started, ()) = tokio::join!(start::<Test>(config, wait, &host), async {
            let trouble = || host.health().trouble().unwrap();
            while !trouble().starts_with("start: waiting: test: the role of this URL") {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            std::fs::write(&file, "").unwrap();
        });
        started.unwrap();
        host.drain(DRAIN_MAX).await;
    }

    #[tokio::test]
    async fn a_taken_port_ends_the_program_before_it_starts() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = taken.local_addr().unwrap();
        let mut config = Config::default();
        config.test.admin = AdminSettings::at(address.to_string());
        config.test.fails = true;
        let error = serve::<Test>(config, ServeArguments::default(), std::future::pending())
            .await
            .unwrap_err();
        assert!(error.to_string().starts_with("test.admin.listen: port "), "{error}");
        assert_eq!(error.exit_code(), 2);
    }
}
