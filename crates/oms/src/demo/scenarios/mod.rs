//! The scenarios of the demo: the first document's three, the second one's walk, then what may go
//! wrong.

mod edited;
mod happy;
mod retries;
mod shipped;
mod unhappy;

use std::io::Write;

use super::{arguments::Scenes, sightings::Sightings, stage::Stage};

/// Plays every scenario in order, or one of them.
pub(crate) async fn play<W: Write>(
    stage: &mut Stage<W>,
    sightings: &mut Sightings,
    scenes: Scenes,
) -> anyhow::Result<()> {
    match scenes {
        Scenes::Success => return happy::successful_order(stage, sightings).await,
        Scenes::Refund => return happy::refunded_in_part(stage).await,
        Scenes::All => {}
    }
    happy::successful_order(stage, sightings).await?;
    happy::canceled_afterwards(stage).await?;
    happy::refunded_in_part(stage).await?;
    shipped::shipped_and_completed(stage).await?;
    edited::changed_after_it_was_paid(stage).await?;
    unhappy::out_of_stock(stage).await?;
    unhappy::declined(stage).await?;
    unhappy::canceled_during_the_run(stage).await?;
    retries::same_parameters(stage).await
}
