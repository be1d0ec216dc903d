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
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use oms_service::{StartError, config as settings};
use oms_telemetry::LogSettings;

use crate::{
    commands::{ClientCommand, CompletionsArguments},
    config::OmsConfig,
    demo::DemoArguments,
};

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
    Run(Settings),
    /// Play and check every scenario in a scratch system on free ports; exit code 0 if all held.
    Demo(DemoArguments),
    /// Print the effective settings of `oms run`, secrets hidden.
    Config(Settings),
    #[command(flatten)]
    Client(ClientCommand),
    /// Print completions for a shell, for example: source <(oms completions bash)
    Completions(CompletionsArguments),
}

#[derive(clap::Args)]
struct Settings {
    /// Settings, as TOML; deploy/config/oms.toml lists them all.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// One setting, for example order.grpc.listen=localhost:0; may be repeated.
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// The folder of the databases.
    #[arg(long, value_name = "FOLDER", default_value = "data")]
    data: PathBuf,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

fn main() -> ExitCode {
    match execute(Arguments::parse().command) {
        Ok(code) => code,
        Err(error) => {
            let start = error.downcast_ref().map(StartError::exit_code);
            let client = error.downcast_ref().map(|failure: &cli::Failure| failure.exit as u8);
            let code = start.or(client).unwrap_or(1);
            let mut stderr = std::io::stderr().lock();
            for line in format!("{error:#}").lines() {
                // Nobody is left to tell when standard error is closed.
                let _ = writeln!(stderr, "oms: {line}");
            }
            ExitCode::from(code)
        }
    }
}

fn execute(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Run(flags) => {
            let config = flags.load()?;
            block_on(&config.log.clone(), run::run(config, &flags.data))??;
            Ok(ExitCode::SUCCESS)
        }
        Command::Config(flags) => {
            let shown = settings::show(&flags.load()?);
            std::io::stdout().write_all(shown.as_bytes())?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Demo(demo) => {
            let settings = LogSettings { level: demo.log().to_owned(), ..LogSettings::default() };
            let held = block_on(&settings, demo.play())??;
            Ok(if held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::Client(command) => command.run(),
        Command::Completions(arguments) => {
            arguments.write::<Arguments>(&mut std::io::stdout())?;
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
    let _guard = oms_telemetry::init(log)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(future);
    // What still blocks a thread now must not hold the exit up.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    Ok(done)
}
