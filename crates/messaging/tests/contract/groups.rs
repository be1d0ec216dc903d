//! What the members of a group may rely on.

use std::collections::BTreeSet;

use oms_messaging::log::Partition;
use tokio::time::Instant;

use super::bench::{Bench, PATIENCE, Reader};

/// Polls both, each storing what it reads, until the partitions are dealt so.
async fn deal(
    one: &mut Reader,
    two: &mut Reader,
    wanted: [usize; 2],
    seen: &mut BTreeSet<(Partition, i64)>,
) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let has = [&*one, &*two].map(|reader| reader.subscription.assigned());
        let [first, second] = &has;
        let apart = first.iter().all(|partition| !second.contains(partition));
        if has.each_ref().map(Vec::len) == wanted && apart {
            return;
        }
        assert!(Instant::now() < deadline, "dealt {has:?}, not {wanted:?}");
        for reader in [&mut *one, &mut *two] {
            let read = reader.poll().await;
            seen.extend(read.iter().map(|d| (d.partition.clone(), d.offset)));
            reader.store(&read);
        }
    }
}

pub(crate) async fn two_members_share_and_a_leaver_passes_on_its_partitions(bench: Bench) {
    let bed = bench.with_partitions(4).await;
    let (one_log, two_log) = (bed.log(), bed.log());
    let mut one = bed.join(&one_log, "g").await;
    one.settle(4).await;
    let mut two = bed.join(&two_log, "g").await;
    let mut seen = BTreeSet::new();
    deal(&mut one, &mut two, [2, 2], &mut seen).await;

    let keys: Vec<String> = (0..40).map(|n| format!("key-{n}")).collect();
    let said: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), "1")).collect();
    bed.publish_singly(&one_log, &said).await;
    let read = two.read(1).await;
    two.store(&read);
    seen.extend(read.iter().map(|d| (d.partition.clone(), d.offset)));
    two.close().await;

    bed.publish_singly(&one_log, &said).await;
    let deadline = Instant::now() + PATIENCE;
    while seen.len() < 80 {
        assert!(Instant::now() < deadline, "only {} of 80 records came", seen.len());
        let read = one.poll().await;
        seen.extend(read.iter().map(|d| (d.partition.clone(), d.offset)));
        one.store(&read);
    }
    assert_eq!(one.subscription.assigned().len(), 4);
}

pub(crate) async fn a_partition_that_went_away_can_neither_be_stored_nor_paused(bench: Bench) {
    let bed = bench.with_partitions(2).await;
    let log = bed.log();
    let mut one = bed.join(&log, "g").await;
    one.settle(2).await;
    let all = one.subscription.assigned();
    let mut two = bed.join(&log, "g").await;
    deal(&mut one, &mut two, [1, 1], &mut BTreeSet::new()).await;
    let kept = one.subscription.assigned();
    let gone = all.iter().find(|partition| !kept.contains(partition)).unwrap();
    assert!(one.subscription.store(gone, 1).is_err());
    assert!(one.subscription.pause(gone).is_err());
    assert!(one.subscription.resume(gone).is_err());
    assert!(one.subscription.pause(&kept[0]).is_ok());
}

pub(crate) async fn a_paused_partition_comes_back_running(bench: Bench) {
    let bed = bench.with_partitions(2).await;
    let log = bed.log();
    let mut one = bed.join(&log, "g").await;
    one.settle(2).await;
    for partition in one.subscription.assigned() {
        one.subscription.pause(&partition).unwrap();
    }
    let mut two = bed.join(&log, "g").await;
    deal(&mut one, &mut two, [1, 1], &mut BTreeSet::new()).await;
    let kept = one.subscription.assigned().remove(0);
    let passed_on = two.subscription.assigned().remove(0);
    one.subscription.pause(&kept).unwrap();
    two.close().await;
    let mut stayed = true;
    let deadline = Instant::now() + PATIENCE;
    while one.subscription.assigned().len() != 2 {
        assert!(Instant::now() < deadline, "what was passed on does not come back");
        one.poll().await;
        stayed &= one.subscription.assigned().contains(&kept);
    }

    // The partition that was away delivers again; the other is still paused, unless it had to go.
    let keys: Vec<String> = (0..20).map(|n| format!("key-{n}")).collect();
    let said: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), "1")).collect();
    bed.publish_singly(&log, &said).await;
    let mut first = BTreeSet::new();
    while !first.contains(&passed_on) {
        first.extend(one.read(1).await.into_iter().map(|d| d.partition));
    }
    assert!(!stayed || !first.contains(&kept), "what was paused delivered");
    if !stayed {
        // It came back running, and may have delivered everything by now.
        bed.publish_singly(&log, &said).await;
    }
    one.subscription.resume(&kept).unwrap();
    let deadline = Instant::now() + PATIENCE;
    while !one.poll().await.iter().any(|d| d.partition == kept) {
        assert!(Instant::now() < deadline, "what was resumed stays silent");
    }
}
