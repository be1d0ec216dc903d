//! `oms`: the whole system on one machine, its demonstration, and a client for everything.
#![forbid(unsafe_code)]

mod cli;
mod clients;
mod commands;
mod config;
mod demo;
mod folder;
mod load;
mod run;
mod system;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use oms_service::{StartError, config as settings};
use oms_telemetry::{LogSettings, TraceSettings};

use crate::{
    cli::Failure,
    commands::{ClientCommand, CompletionsArguments},
    config::OmsConfig,
    demo::DemoArguments,
};

const RUN_EXAMPLES: &str = "\
Examples:
  oms run
  oms run --data /var/lib/oms --config deploy/config/oms.toml
  oms run --set order.grpc.listen=localhost:6001 --set oms.admin.listen=localhost:6091";

const CONFIG_EXAMPLES: &str = "\
Examples:
  oms config --config deploy/config/oms.toml
  oms config --set kafka.fetch_wait_ms_max=50 --json | jq .kafka";

#[derive(Parser)]
#[command(version, about = "Order management as three choreographed services")]
#[command(after_help = cli::CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run everything on this machine: three services, a broker, their databases.
    #[command(after_long_help = RUN_EXAMPLES)]
    Run(Settings),
    /// Play and check every scenario in a scratch system on free ports; exit code 0 if all held.
    Demo(DemoArguments),
    /// Print the effective settings of `oms run`, secrets hidden.
    #[command(after_long_help = CONFIG_EXAMPLES)]
    Config(Shown),
    #[command(flatten)]
    Client(ClientCommand),
    /// Print completions for a shell, for example: source <(oms completions bash)
    Completions(CompletionsArguments),
}

/// How settings are printed.
#[derive(clap::Args)]
struct Shown {
    #[command(flatten)]
    settings: Settings,
    /// Print one JSON document instead of TOML.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct Settings {
    /// Settings, as TOML; deploy/config/oms.toml lists them all.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// One setting, for example order.grpc.listen=localhost:0; may be repeated.
    #[arg(long, value_name = "KEY=VALUE", value_parser = settings::setting)]
    set: Vec<(String, String)>,
    /// The folder of the databases.
    #[arg(long, value_name = "FOLDER", default_value = "data")]
    data: PathBuf,
}

fn main() -> ExitCode {
    let json = cli::wants_json();
    let mut command = cli::with_plain_usage(Arguments::command());
    let arguments = match arguments(&mut command) {
        Ok(arguments) => arguments,
        Err(error) => {
            return cli::misused(settings::without_secrets(error), &command, json);
        }
    };
    execute(arguments.command).unwrap_or_else(|error| Failure::from(error).tell(json))
}

fn arguments(command: &mut clap::Command) -> Result<Arguments, clap::Error> {
    let found = command.try_get_matches_from_mut(std::env::args_os())?;
    Arguments::from_arg_matches(&found).map_err(|error| error.format(command))
}

fn execute(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Run(flags) => {
            let config = flags.load()?;
            let (log, traces) = (config.log.clone(), config.traces.clone());
            block_on_traced(&log, &traces, run::run(config, &flags.data))??;
            Ok(ExitCode::SUCCESS)
        }
        Command::Config(Shown { settings: flags, json }) => {
            let config = flags.load()?;
            let shown = if json {
                format!("{:#}\n", settings::show_json(&config)?)
            } else {
                settings::show(&config)
            };
            cli::print(&shown)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Demo(demo) => {
            let settings = LogSettings { level: demo.log().to_owned(), ..LogSettings::default() };
            let held = block_on(&settings, demo.play())??;
            Ok(if held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::Client(command) => command.run(),
        Command::Completions(arguments) => {
            cli::print(&arguments.script::<Arguments>())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

impl Settings {
    fn load(&self) -> Result<OmsConfig, StartError> {
        let file = self.config.as_deref();
        let mut config: OmsConfig = settings::load(file, &settings::SECTIONS, &self.set)?;
        config.keep_data_in(Path::new(&self.data));
        Ok(config)
    }
}

fn block_on<T>(log: &LogSettings, future: impl Future<Output = T>) -> anyhow::Result<T> {
    block_on_traced(log, &TraceSettings::default(), future)
}

fn block_on_traced<T>(
    log: &LogSettings,
    traces: &TraceSettings,
    future: impl Future<Output = T>,
) -> anyhow::Result<T> {
    let _guard = oms_telemetry::init(log, traces, &system::SERVICES)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(future);
    // What still blocks a thread now must not hold the exit up.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    Ok(done)
}
