//! `oms demo`: the whole system in a scratch folder on free ports, every scenario played and
//! checked.

mod scenarios;
mod sightings;
mod stage;
mod transcript;

use std::io::stdout;

use anyhow::Context;

use self::{sightings::Sightings, stage::Stage, transcript::Transcript};
use crate::{clients::Clients, system::System};

/// Plays the demo; true when every expectation held.
pub(crate) async fn demo(log_level: &str) -> anyhow::Result<bool> {
    let scratch = tempfile::tempdir().context("cannot make a scratch folder")?;
    let mut transcript = Transcript::new(stdout());
    transcript
        .line("OMS demo: three services, each with its own database, joined only by events")?;
    let system = System::scratch(scratch.path(), log_level).await?;
    let at = system.addresses();
    transcript.line(format_args!("     order      grpc://{}", at.order))?;
    transcript.line(format_args!("     inventory  grpc://{}", at.inventory))?;
    transcript.line(format_args!("     payment    grpc://{}", at.payment))?;
    let (topic, broker) = (oms_events::TOPIC, system.bootstrap());
    transcript.line(format_args!("     topic      {topic} on {broker}"))?;
    let clients = Clients::connect(at).await?;
    let sightings = Sightings::start(&system.log()?, oms_events::TOPIC).await?;
    let held = play(clients, transcript, sightings).await;
    system.drain().await;
    held
}

async fn play(
    clients: Clients,
    transcript: Transcript<std::io::Stdout>,
    mut sightings: Sightings,
) -> anyhow::Result<bool> {
    let mut stage = Stage { clients, transcript };
    let played = scenarios::play(&mut stage, &mut sightings).await;
    let closed = stage.transcript.close()?;
    sightings.close().await?;
    played.context("the demo could not go on")?;
    Ok(closed)
}
