//! Where the demo plays.

use std::io::{Stdout, stdout};

use anyhow::Context;
use oms_messaging::kafka::{self, Observer};

use super::{
    arguments::Scenes, scenarios, sightings::Sightings, stage::Stage, transcript::Transcript,
};
use crate::{
    cli::{AddressFlags, KafkaFlags, observer},
    clients::Clients,
    system::System,
};

/// Plays every scenario in a system of its own; true when every expectation held.
pub(super) async fn scratch(log_level: &str) -> anyhow::Result<bool> {
    let scratch = tempfile::tempdir().context("cannot make a scratch folder")?;
    let mut transcript = Transcript::new(stdout());
    transcript
        .line("OMS demo: three services, each with its own database, joined only by events")?;
    let system = System::scratch(scratch.path(), log_level).await?;
    let at = AddressFlags::from(system.addresses());
    places(&mut transcript, &at, &system.bootstrap().to_string())?;
    let clients = Clients::connect(&at).await?;
    let observer = Observer::open(system.kafka(), oms_events::TOPIC, kafka::From::End).await?;
    let held = play(clients, transcript, Sightings::by(observer), Scenes::All).await;
    system.drain().await;
    held
}

/// Plays one scenario in a system that runs already; true when every expectation held.
pub(super) async fn running(
    at: &AddressFlags,
    broker: &KafkaFlags,
    scenes: Scenes,
) -> anyhow::Result<bool> {
    let mut transcript = Transcript::new(stdout());
    transcript.line("OMS demo: a scenario in the system that runs here")?;
    places(&mut transcript, at, &broker.bootstrap)?;
    let clients = Clients::connect(at).await?;
    let observer = observer(broker, oms_events::TOPIC, kafka::From::End).await?;
    play(clients, transcript, Sightings::by(observer), scenes).await
}

fn places(
    transcript: &mut Transcript<Stdout>,
    at: &AddressFlags,
    broker: &str,
) -> anyhow::Result<()> {
    let topic = oms_events::TOPIC;
    transcript.line(format_args!("     order      grpc://{}", at.order_addr))?;
    transcript.line(format_args!("     inventory  grpc://{}", at.inventory_addr))?;
    transcript.line(format_args!("     payment    grpc://{}", at.payment_addr))?;
    transcript.line(format_args!("     topic      {topic} on {broker}"))
}

async fn play(
    clients: Clients,
    transcript: Transcript<Stdout>,
    mut sightings: Sightings,
    scenes: Scenes,
) -> anyhow::Result<bool> {
    let mut stage = Stage { clients, transcript };
    let played = scenarios::play(&mut stage, &mut sightings, scenes).await;
    let closed = stage.transcript.close()?;
    played.context("the demo could not go on")?;
    Ok(closed)
}
