//! What one reader may rely on.

use std::{collections::BTreeSet, time::Duration};

use oms_messaging::log::Partition;

use super::bench::{Bed, Bench, PATIENCE, Reader, payloads, publish};

pub(crate) async fn a_poll_gives_no_more_than_asked_for(bench: Bench) {
    let bed = bench.with_partitions(1).await;
    let log = bed.log();
    bed.publish_singly(&log, &[("a", "1"), ("a", "2"), ("a", "3"), ("a", "4"), ("a", "5")]).await;
    let mut reader = bed.join(&log, "g").await;
    let mut read = Vec::new();
    while read.len() < 5 {
        let some = reader.subscription.poll(2, PATIENCE).await.unwrap();
        assert!((1..=2).contains(&some.len()), "{}", some.len());
        read.extend(some);
    }
    assert_eq!(payloads(&read), ["1", "2", "3", "4", "5"]);
}

pub(crate) async fn groups_read_independently(bench: Bench) {
    let bed = bench.with_partitions(2).await;
    let log = bed.log();
    let said = [("a", "1"), ("b", "2"), ("c", "3"), ("d", "4")];
    bed.publish_singly(&log, &said).await;
    for group in ["one", "two"] {
        let mut read = payloads(&bed.join(&log, group).await.read(said.len()).await);
        read.sort_unstable();
        assert_eq!(read, ["1", "2", "3", "4"], "{group}");
    }
}

pub(crate) async fn what_was_stored_survives_and_the_rest_comes_again(bench: Bench) {
    let bed = bench.with_partitions(1).await;
    let log = bed.log();
    bed.publish_singly(&log, &[("a", "1"), ("b", "2"), ("a", "3"), ("b", "4")]).await;
    let mut first = bed.join(&log, "g").await;
    let read = first.read(4).await;
    first.store(&read[..2]);
    first.close().await;

    let mut second = bed.join(&log, "g").await;
    let read = second.read(2).await;
    assert_eq!(payloads(&read), ["3", "4"]);
    second.store(&read);
    second.close().await;

    bed.publish_singly(&log, &[("a", "5")]).await;
    assert_eq!(payloads(&bed.join(&log, "g").await.read(1).await), ["5"]);
}

/// Two keys that fall into different partitions of two.
const APART: [&str; 2] = ["21", "abc"];

async fn two_partitions(bed: &Bed, reader: &mut Reader) -> [Partition; 2] {
    reader.settle(2).await;
    let log = bed.log();
    bed.publish_singly(&log, &[(APART[0], "0"), (APART[1], "0")]).await;
    let read = reader.read(2).await;
    let of = |key: &str| {
        let found = read.iter().find(|d| d.record.key.as_deref() == Some(key.as_bytes()));
        found.unwrap().partition.clone()
    };
    assert_ne!(of(APART[0]), of(APART[1]), "choose other keys");
    APART.map(of)
}

pub(crate) async fn pause_stops_one_partition_and_resume_goes_on_behind_the_last_delivered(
    bench: Bench,
) {
    let bed = bench.with_partitions(2).await;
    let log = bed.log();
    let mut reader = bed.join(&log, "g").await;
    let [quiet, _] = two_partitions(&bed, &mut reader).await;
    let [stopped, running] = APART;

    // Some of it is fetched ahead when the pause comes; none of that may be lost or come twice.
    let more: Vec<_> = (1..=20).map(|n| bed.record(stopped, &n.to_string())).collect();
    publish(&log, more).await;
    let before = payloads(&reader.read(3).await);
    assert_eq!(before, ["1", "2", "3"]);
    reader.subscription.pause(&quiet).unwrap();
    bed.publish_singly(&log, &[(running, "x"), (running, "y"), (stopped, "21")]).await;
    assert_eq!(payloads(&reader.read(2).await), ["x", "y"], "only the other partition goes on");
    assert_eq!(payloads(&reader.poll().await), Vec::<String>::new());
    assert!(reader.subscription.assigned().contains(&quiet), "a paused partition is still held");

    reader.subscription.resume(&quiet).unwrap();
    let after = payloads(&reader.read(18).await);
    let wanted: Vec<String> = (4..=21).map(|n| n.to_string()).collect();
    assert_eq!(after, wanted);
    assert_eq!(payloads(&reader.poll().await), Vec::<String>::new());
}

pub(crate) async fn lag_counts_down_to_caught_up(bench: Bench) {
    let bed = bench.with_partitions(3).await;
    let log = bed.log();
    bed.publish_singly(&log, &[("a", "1"), ("b", "2"), ("c", "3"), ("a", "4")]).await;
    let mut reader = bed.join(&log, "g").await;
    assert_eq!(
        reader.subscription.lag().await.unwrap(),
        None,
        "not known before the group settled"
    );

    let mut read = reader.settle(3).await;
    assert_eq!(total_lag(&mut reader).await, 4, "delivered is not done");
    read.extend(reader.read(4 - read.len()).await);
    reader.store(&read[..1]);
    assert_eq!(total_lag(&mut reader).await, 3);
    reader.store(&read);
    assert_eq!(total_lag(&mut reader).await, 0, "caught up");
    reader.close().await;

    bed.publish_singly(&log, &[("b", "5")]).await;
    let mut reader = bed.join(&log, "g").await;
    let _ = reader.settle(3).await;
    assert_eq!(total_lag(&mut reader).await, 1, "counted from what was committed");
}

async fn total_lag(reader: &mut Reader) -> i64 {
    let lag = reader.subscription.lag().await.unwrap().unwrap();
    let listed: BTreeSet<Partition> = lag.iter().map(|(partition, _)| partition.clone()).collect();
    assert_eq!(listed, reader.subscription.assigned().into_iter().collect());
    lag.into_iter().map(|(_, behind)| behind).sum()
}

pub(crate) async fn a_poll_wakes_when_a_record_arrives(bench: Bench) {
    let bed = bench.with_partitions(1).await;
    let log = bed.log();
    let mut reader = bed.join(&log, "g").await;
    reader.settle(1).await;
    let reading = async { reader.subscription.poll(10, PATIENCE).await.unwrap() };
    let writing = bed.publish_singly(&log, &[("a", "1")]);
    let (read, ()) = tokio::join!(reading, writing);
    assert_eq!(payloads(&read), ["1"]);
}

pub(crate) async fn closing_is_prompt_even_without_a_poll(bench: Bench) {
    let bed = bench.with_partitions(2).await;
    let log = bed.log();
    let never_polled = bed.join(&log, "g").await;
    never_polled.close().await;
    let mut settled = bed.join(&log, "g").await;
    settled.settle(2).await;
    let closing = settled.subscription.close();
    tokio::time::timeout(Duration::from_secs(30), closing).await.unwrap().unwrap();
}
