//! What publishing promises.

use std::collections::BTreeMap;

use oms_messaging::Record;

use super::bench::{Bench, payloads, publish, told};

pub(crate) async fn records_of_a_key_keep_their_order_and_their_partition(bench: Bench) {
    let bed = bench.with_partitions(4).await;
    let log = bed.log();
    let keys = ["a", "b", "c", "d", "e"];
    for batch in 0..4 {
        let records = (0..10)
            .flat_map(|n| keys.map(|key| bed.record(key, &format!("{key}{:02}", batch * 10 + n))));
        publish(&log, records.collect()).await;
    }
    let read = bed.join(&log, "g").await.read(200).await;
    let mut of_key: BTreeMap<Vec<u8>, Vec<_>> = BTreeMap::new();
    for delivery in read {
        of_key.entry(delivery.record.key.clone().unwrap()).or_default().push(delivery);
    }
    assert_eq!(of_key.len(), keys.len());
    for (key, read) in of_key {
        let key = String::from_utf8(key).unwrap();
        let wanted: Vec<String> = (0..40).map(|n| format!("{key}{n:02}")).collect();
        assert_eq!(payloads(&read), wanted);
        assert!(read.iter().all(|d| d.partition == read[0].partition), "{key} has one partition");
        assert!(read.windows(2).all(|pair| pair[0].offset < pair[1].offset));
    }
}

pub(crate) async fn a_partition_interleaves_its_keys_in_the_order_of_publishing(bench: Bench) {
    let bed = bench.with_partitions(1).await;
    let log = bed.log();
    let said = [("a", "1"), ("b", "2"), ("a", "3"), ("c", "4"), ("b", "5"), ("a", "6")];
    bed.publish_singly(&log, &said).await;
    let read = bed.join(&log, "g").await.read(said.len()).await;
    assert_eq!(payloads(&read), ["1", "2", "3", "4", "5", "6"]);
    assert_eq!(read.iter().map(|d| d.offset).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
}

pub(crate) async fn headers_values_and_null_keys_survive(bench: Bench) {
    let bed = bench.with_partitions(3).await;
    let log = bed.log();
    let headers = [("b", &b"1"[..]), ("a", b""), ("b", b"\x00\xff"), ("traceparent", b"00-x")];
    let record = Record {
        topic: bed.topic.clone(),
        key: None,
        payload: vec![0, 159, 146, 150, 0],
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_vec())).to_vec(),
    };
    publish(&log, vec![record.clone()]).await;
    let read = bed.join(&log, "g").await.read(1).await;
    assert_eq!(read[0].record, record);
    assert_eq!(read[0].header("b"), Some(&b"1"[..]), "the first of that name");
    assert_eq!(read[0].header("c"), None);
}

pub(crate) async fn unicode_keys_and_empty_values_survive(bench: Bench) {
    let bed = bench.with_partitions(3).await;
    let log = bed.log();
    let keys = ["ключ", "鍵-🔑", "ß", ""];
    let records: Vec<Record> = keys.map(|key| bed.record(key, "")).to_vec();
    publish(&log, records.clone()).await;
    let mut read: Vec<Record> =
        bed.join(&log, "g").await.read(keys.len()).await.into_iter().map(|d| d.record).collect();
    let mut wanted = records;
    wanted.sort_by(|a, b| a.key.cmp(&b.key));
    read.sort_by(|a, b| a.key.cmp(&b.key));
    assert_eq!(read, wanted);
}

pub(crate) async fn every_record_gets_its_own_report(bench: Bench) {
    let bed = bench.with_partitions(3).await;
    let log = bed.log();
    let large = "x".repeat(2_000_000);
    let reports = log
        .publish(vec![
            bed.record("a", "1"),
            bed.record("b", &large),
            bed.record("c", "3"),
            Record { key: None, ..bed.record("", &large) },
            Record { key: None, ..bed.record("", "5") },
        ])
        .await;
    assert_eq!(told(&reports), ["ok", "refused", "ok", "refused", "ok"]);
    let mut read = payloads(&bed.join(&log, "g").await.read(3).await);
    read.sort_unstable();
    assert_eq!(read, ["1", "3", "5"]);
}

pub(crate) async fn a_refused_record_holds_back_the_rest_of_its_key(bench: Bench) {
    let bed = bench.with_partitions(1).await;
    let log = bed.log();
    let large = "x".repeat(2_000_000);
    let batch = ["a1", &large, "a3", "a4"].map(|payload| bed.record("a", payload)).to_vec();
    let batch = [batch, vec![bed.record("b", "b1")]].concat();
    let reports = log.publish(batch).await;
    let behind = "behind a refused record";
    assert_eq!(told(&reports), ["ok", "refused", behind, behind, "ok"]);
    bed.publish_singly(&log, &[("a", "a3"), ("a", "end")]).await;
    let read = payloads(&bed.join(&log, "g").await.read(4).await);
    let of_a: Vec<&String> = read.iter().filter(|payload| *payload != "b1").collect();
    assert_eq!(of_a, ["a1", "a3", "end"], "nothing was sent ahead of its turn");
}

/// The partitions are those that Kafka's own producer chooses for twelve.
pub(crate) async fn keys_hash_as_the_java_client_hashes_them(bench: Bench) {
    let bed = bench.with_partitions(12).await;
    let log = bed.log();
    // (murmur2 & 0x7fffffff) % 12, with the hashes of Kafka's UtilsTest.
    let hashes = [("21", -973_932_308_i32), ("foobar", -790_332_482), ("abc", 479_470_107)];
    let wanted = hashes.map(|(key, hash)| (key.to_owned(), (hash & 0x7fff_ffff) % 12));
    publish(&log, hashes.map(|(key, _)| bed.record(key, "")).to_vec()).await;
    let read = bed.join(&log, "g").await.read(hashes.len()).await;
    let found: BTreeMap<String, i32> = read
        .into_iter()
        .map(|d| (String::from_utf8(d.record.key.unwrap()).unwrap(), d.partition.number))
        .collect();
    assert_eq!(found, BTreeMap::from(wanted));
}

pub(crate) async fn an_empty_batch_is_nothing(bench: Bench) {
    let bed = bench.with_partitions(1).await;
    assert!(bed.log().publish(Vec::new()).await.is_empty());
}

pub(crate) async fn a_ping_is_answered(bench: Bench) {
    let bed = bench.with_partitions(1).await;
    bed.log().ping().await.unwrap();
}
