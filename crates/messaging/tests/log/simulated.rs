//! The levers of the simulated log.

use std::{sync::Arc, time::Duration};

use oms_messaging::{Delivery, Log, PublishError, Record, SimulatedLog, Subscription};
use oms_seams::SystemClock;

fn record(key: &str, payload: &str) -> Record {
    let (key, payload) = (Some(key.as_bytes().to_vec()), payload.as_bytes().to_vec());
    Record { topic: "t".to_owned(), key, payload, headers: Vec::new() }
}

async fn publish(log: &SimulatedLog, key: &str, payloads: &[&str]) -> Vec<bool> {
    let reports = log.publish(payloads.iter().map(|p| record(key, p)).collect()).await;
    reports.iter().map(Result::is_ok).collect()
}

async fn read(reader: &mut Box<dyn Subscription>) -> Vec<String> {
    payloads(&reader.poll(100, Duration::ZERO).await.unwrap())
}

fn payloads(read: &[Delivery]) -> Vec<String> {
    read.iter().map(|d| String::from_utf8_lossy(&d.record.payload).into_owned()).collect()
}

fn store(reader: &mut Box<dyn Subscription>, next: i64) {
    let partition = reader.assigned()[0].clone();
    reader.store(&partition, next).unwrap();
}

#[tokio::test]
async fn a_failed_publish_appends_nothing_and_holds_back_its_key() {
    let log = SimulatedLog::new(&[("t", 1)]);
    log.fail_publishes(1);
    assert_eq!(publish(&log, "a", &["1", "2"]).await, [false, false]);
    assert_eq!(publish(&log, "a", &["1", "2"]).await, [true, true]);
    assert_eq!(payloads(&log.records("t")), ["1", "2"]);
}

#[tokio::test]
async fn a_swallowed_answer_appends_and_yet_fails() {
    let log = SimulatedLog::new(&[("t", 1)]);
    log.swallow_acks(1);
    assert_eq!(publish(&log, "a", &["1", "2"]).await, [false, false]);
    assert_eq!(publish(&log, "a", &["1", "2"]).await, [true, true]);
    assert_eq!(payloads(&log.records("t")), ["1", "1", "2"]);
}

#[tokio::test]
async fn a_lost_log_is_read_anew_from_its_beginning() {
    let log = SimulatedLog::new(&[("t", 1)]);
    let mut reader = log.subscribe("g", &["t"]).await.unwrap();
    publish(&log, "a", &["1", "2"]).await;
    assert_eq!(read(&mut reader).await, ["1", "2"]);
    store(&mut reader, 2);
    log.lose_all();
    assert!(log.records("t").is_empty());
    publish(&log, "a", &["3"]).await;
    assert_eq!(read(&mut reader).await, ["3"]);
    reader.close().await.unwrap();
    let mut again = log.subscribe("g", &["t"]).await.unwrap();
    assert_eq!(read(&mut again).await, ["3"], "the offsets went with the log");
}

#[tokio::test]
async fn a_lost_tail_sends_back_who_was_beyond_it_or_hides_what_takes_its_place() {
    let log = SimulatedLog::new(&[("t", 1)]);
    let mut reader = log.subscribe("g", &["t"]).await.unwrap();
    publish(&log, "a", &["1", "2", "3"]).await;
    assert_eq!(read(&mut reader).await.len(), 3);
    log.lose_tail(2);
    assert_eq!(payloads(&log.records("t")), ["1"]);
    assert_eq!(read(&mut reader).await, ["1"], "begins again");
    publish(&log, "a", &["4", "5"]).await;
    assert_eq!(read(&mut reader).await, ["4", "5"]);
    log.lose_tail(1);
    publish(&log, "a", &["6"]).await;
    assert_eq!(read(&mut reader).await, Vec::<String>::new(), "6 took the place of 5, unseen");
    log.lose_tail(100);
    assert!(log.records("t").is_empty());
}

#[tokio::test]
async fn a_group_can_be_made_to_read_again() {
    let log = SimulatedLog::new(&[("t", 1)]);
    let mut reader = log.subscribe("g", &["t"]).await.unwrap();
    publish(&log, "a", &["1", "2", "3"]).await;
    assert_eq!(read(&mut reader).await.len(), 3);
    store(&mut reader, 3);
    log.redeliver("g", 1);
    assert_eq!(read(&mut reader).await, ["2", "3"]);
}

#[tokio::test]
async fn a_group_that_is_put_back_reads_only_what_it_had_read() {
    let log = SimulatedLog::new(&[("t", 1)]);
    let mut reader = log.subscribe("g", &["t"]).await.unwrap();
    publish(&log, "a", &["1", "2", "3"]).await;
    assert_eq!(payloads(&reader.poll(2, Duration::ZERO).await.unwrap()), ["1", "2"]);
    store(&mut reader, 2);
    log.rewind("g", 1);
    assert_eq!(read(&mut reader).await, ["2", "3"]);
    log.rewind("g", 100);
    assert_eq!(read(&mut reader).await, ["1", "2", "3"]);
}

#[tokio::test]
async fn what_was_stored_may_be_committed_before_a_crash() {
    let log = SimulatedLog::new(&[("t", 1)]);
    publish(&log, "a", &["1", "2"]).await;
    let mut reader = log.subscribe("g", &["t"]).await.unwrap();
    read(&mut reader).await;
    store(&mut reader, 1);
    log.commit_stored("g");
    drop(reader);
    let mut again = log.subscribe("g", &["t"]).await.unwrap();
    assert_eq!(read(&mut again).await, ["2"]);
}

#[tokio::test]
async fn a_dropped_subscription_is_a_crash_that_loses_what_was_stored_since_the_last_poll() {
    let log = SimulatedLog::new(&[("t", 1)]);
    publish(&log, "a", &["1", "2"]).await;
    let mut reader = log.subscribe("g", &["t"]).await.unwrap();
    read(&mut reader).await;
    store(&mut reader, 1);
    read(&mut reader).await;
    store(&mut reader, 2);
    drop(reader);
    let mut again = log.subscribe("g", &["t"]).await.unwrap();
    assert_eq!(read(&mut again).await, ["2"]);
}

#[tokio::test]
async fn a_log_that_is_down_answers_nothing_until_it_is_up() {
    let log = SimulatedLog::new(&[("t", 1)]);
    let mut reader = log.subscribe("g", &["t"]).await.unwrap();
    log.down();
    assert!(log.ping().await.is_err());
    assert!(reader.poll(1, Duration::ZERO).await.is_err());
    let reports = log.publish(vec![record("a", "1")]).await;
    assert!(matches!(reports[..], [Err(PublishError::Unavailable(_))]));
    log.up();
    assert!(log.ping().await.is_ok());
    publish(&log, "a", &["1"]).await;
    assert_eq!(read(&mut reader).await, ["1"]);
}

#[tokio::test]
async fn a_waiting_poll_hears_that_the_log_went_down() {
    let log = SimulatedLog::new(&[("t", 1)]);
    let mut reader = log.subscribe("g", &["t"]).await.unwrap();
    let waiting = reader.poll(1, Duration::from_secs(60));
    let (answer, ()) = tokio::join!(waiting, async { log.down() });
    assert!(answer.is_err());
}

#[tokio::test]
async fn records_carry_the_time_of_the_given_clock() {
    let log = SimulatedLog::new(&[("t", 1)]);
    publish(&log, "a", &["1"]).await;
    publish(&log.clone().with_clock(Arc::new(SystemClock)), "a", &["2"]).await;
    let written: Vec<bool> = log.records("t").iter().map(|d| d.written_at.is_some()).collect();
    assert_eq!(written, [false, true]);
}

#[tokio::test]
async fn a_partition_that_came_back_between_two_polls_is_seen_to_have_been_away() {
    let log = SimulatedLog::new(&[("t", 2)]);
    publish(&log, "21", &["1"]).await;
    publish(&log, "abc", &["2"]).await;
    let mut one = log.subscribe("g", &["t"]).await.unwrap();
    assert_eq!(read(&mut one).await.len(), 2);
    let mut two = log.subscribe("g", &["t"]).await.unwrap();
    let again = read(&mut two).await;
    two.close().await.unwrap();
    assert_eq!(read(&mut one).await, Vec::<String>::new());
    assert_eq!(one.assigned().len(), 1, "one is away");
    assert_eq!(read(&mut one).await, again, "nothing of it was stored");
    assert_eq!(one.assigned().len(), 2, "and back");
}
