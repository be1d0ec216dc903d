//! A service chosen by chance is killed every three seconds under load.

use std::time::{Duration, Instant};

use super::{Told, Verdict};
use crate::{
    cluster::{System, Wishes, World},
    customers::{Load, Pace},
};

const KILL_EVERY: Duration = Duration::from_secs(3);
const LOOK_EVERY: Duration = Duration::from_millis(50);

pub(super) async fn play(world: &World) -> anyhow::Result<Verdict> {
    let mut system = System::start(world, "storm", Wishes::default()).await?;
    let load = Load::start(&system, Pace::default());
    let begun = Instant::now();
    let (mut kills, mut next) = ([0_u32; 3], begun + KILL_EVERY);
    let mut chance = Chance::default();
    while begun.elapsed() < world.lengths.storm {
        for instance in system.all() {
            instance.is_ready().await?;
        }
        if Instant::now() >= next {
            next += KILL_EVERY;
            let chosen = chance.below(kills.len());
            // Also one that has not come back yet.
            system.all()[chosen].kill().await?;
            system.all()[chosen].launch()?;
            kills[chosen] += 1;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let paid = load.paid();
    for instance in system.all() {
        instance.ready().await?;
    }
    let healthy = Instant::now();
    let [order, inventory, payment] = kills;
    let mut told = Told::injected(format!(
        "{} kills in {} s: order {order}, inventory {inventory}, payment {payment}",
        kills.iter().sum::<u32>(),
        world.lengths.storm.as_secs()
    ));
    told.held(format!("{paid} orders paid in the storm"));
    told.end(system, load, healthy).await
}

/// Knuth's MMIX generator: the same storm every time.
struct Chance(u64);

impl Default for Chance {
    fn default() -> Self {
        Self(0x9E37_79B9_7F4A_7C15)
    }
}

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % bound
    }
}
