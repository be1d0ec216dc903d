//! Seeds that once broke something, each named after it.

use oms_sim::{Limits, play_one};

fn holds(seed: u64) {
    let report = play_one(seed, &Limits::default()).unwrap();
    assert_eq!(report.broken, Vec::<String>::new(), "{}", report.history.join("\n"));
}
