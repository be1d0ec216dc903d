//! Poison: dead letters and parking (rule 4).

use oms_messaging::Event;

use super::{
    bench::{Bench, DLQ, everywhere, key_per_partition, record},
    ledger::{Fail, HEARD},
};

fn header(bench: &Bench, name: &str) -> String {
    let letter = bench.log.records(DLQ).pop().unwrap();
    String::from_utf8(letter.header(name).unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn poison_parks_its_stream_and_others_go_on() {
    everywhere(async |bench| {
        let keys = key_per_partition().await;
        bench.ledger.fail(1, Fail::Poison);
        let (bad, good) = (&keys[0], &keys[1]);
        let records =
            [(bad, 1), (good, 2), (bad, 3), (good, 4)].map(|(key, n)| bench.heard(key, n));
        bench.publish(records.to_vec()).await;
        let mut consumer = bench.consumer();
        let done = bench.consume(&mut consumer).await;
        assert_eq!((done.moved, done.parked, done.dead_letters), (2, 2, 1));
        // The mark outlives the cause: the redrive removes it.
        bench.ledger.mend();
        bench.publish(vec![bench.heard(bad, 5), bench.heard(good, 6)]).await;
        bench.consume(&mut consumer).await;
        assert_eq!(bench.applied().await, [2, 4, 6]);
        assert_eq!(bench.count("parked").await, 3);
        assert_eq!(bench.count("parked WHERE reason = 'test_poison'").await, 1);
        assert_eq!(bench.count("parked WHERE reason = 'parked_behind'").await, 2);
        assert_eq!(bench.count("outbox").await, 1, "one dead letter, none for those behind");
        assert_eq!(bench.count("inbox").await, 3, "the ids of parked events are not claimed");
    })
    .await;
}

#[tokio::test]
async fn a_dead_letter_is_the_record_as_it_was_with_its_story() {
    everywhere(async |bench| {
        bench.ledger.fail(1, Fail::Poison);
        let mut bad = bench.heard("s", 1);
        bad.headers = vec![("x".into(), vec![0xff, 0x00]), ("y".into(), b"text".to_vec())];
        bench.publish(vec![bench.heard("s", 9), bad.clone()]).await;
        bench.consume(&mut bench.consumer()).await;
        bench.relay().step().await.unwrap();
        let letters = bench.log.records(DLQ);
        assert_eq!(letters.len(), 1);
        let letter = &letters[0].record;
        assert_eq!((&letter.key, &letter.payload), (&bad.key, &bad.payload));
        assert_eq!(letter.headers[..2], bad.headers[..]);
        assert_eq!(header(&bench, "x-original-topic"), "events");
        assert_eq!(header(&bench, "x-original-offset"), "1");
        let partition = header(&bench, "x-original-partition");
        let read = bench.log.records("events").pop().unwrap().partition.number;
        assert_eq!(partition, read.to_string());
        assert_eq!(header(&bench, "x-consumer-group"), bench.group);
        assert_eq!(header(&bench, "x-retry-count"), "0");
        assert_eq!(header(&bench, "x-error-code"), "test_poison");
        assert_eq!(header(&bench, "x-error-message"), "1 is bad");
        assert_eq!(header(&bench, "x-failed-at"), "2027-01-15T08:00:00.000000Z");
        let scraped = bench.scrape();
        let counted = "oms_dlq_messages_total{service=\"own\",reason=\"test_poison\"} 1";
        assert!(scraped.contains(counted), "{scraped}");
    })
    .await;
}

#[tokio::test]
async fn what_is_parked_is_not_parked_or_dead_lettered_again() {
    everywhere(async |bench| {
        bench.ledger.fail(1, Fail::Poison);
        let garbage = record(Some(b"t"), b"no json".to_vec());
        let keyless = record(None, b"no json either".to_vec());
        bench.publish(vec![bench.heard("s", 1), bench.heard("s", 2), garbage, keyless]).await;
        let mut consumer = bench.consumer();
        bench.consume(&mut consumer).await;
        let (parked, letters) = (bench.count("parked").await, bench.count("outbox").await);
        assert_eq!((parked, letters), (4, 3));
        // Read again from the start, and published again by its sender.
        bench.log.redeliver(&bench.group, 0);
        bench.publish(vec![bench.heard("s", 1), bench.heard("s", 2)]).await;
        let again = bench.consume(&mut consumer).await;
        assert_eq!((again.handled, again.parked, again.dead_letters), (6, 0, 0));
        assert_eq!((bench.count("parked").await, bench.count("outbox").await), (4, 3));
    })
    .await;
}

#[tokio::test]
async fn an_id_under_a_wrong_key_or_none_does_not_hide_the_event_that_has_it() {
    everywhere(async |bench| {
        bench.ledger.fail(1, Fail::Poison);
        let (mut mismatch, mut keyless) = (bench.heard("s", 1), bench.heard("s", 1));
        mismatch.key = Some(b"other".to_vec());
        keyless.key = None;
        let mut consumer = bench.consumer();
        for record in [mismatch, keyless, bench.heard("s", 1)] {
            bench.publish(vec![record]).await;
            let done = bench.consume(&mut consumer).await;
            assert_eq!((done.parked, done.dead_letters), (1, 1));
        }
        assert_eq!(bench.count("parked WHERE stream = 's'").await, 1);
        assert_eq!(bench.count("streams WHERE parked").await, 2);
        // Read again, each is known where it lies.
        bench.log.redeliver(&bench.group, 0);
        let again = bench.consume(&mut consumer).await;
        assert_eq!((again.handled, again.parked, again.dead_letters), (3, 0, 0));
    })
    .await;
}

#[tokio::test]
async fn poison_marks_its_stream_even_when_it_is_parked_already() {
    everywhere(async |bench| {
        bench.ledger.fail(1, Fail::Poison);
        bench.publish(vec![bench.heard("s", 1)]).await;
        let mut consumer = bench.consumer();
        bench.consume(&mut consumer).await;
        bench.execute("UPDATE streams SET parked = false").await;
        bench.log.redeliver(&bench.group, 0);
        bench.publish(vec![bench.heard("s", 2)]).await;
        let again = bench.consume(&mut consumer).await;
        assert_eq!((again.parked, again.dead_letters, again.moved), (1, 0, 0));
        assert_eq!(bench.count("streams WHERE parked").await, 1);
    })
    .await;
}

#[tokio::test]
async fn garbage_where_other_garbage_was_before_the_log_was_lost_is_a_letter_of_its_own() {
    everywhere(async |bench| {
        let keys: Vec<String> = (0..12).map(|n| format!("s-{n}")).collect();
        for key in &keys {
            // Each at offset 0, three or so in each partition.
            bench.log.lose_all();
            bench.publish(vec![record(Some(key.as_bytes()), b"no json".to_vec())]).await;
            bench.consume(&mut bench.consumer()).await;
        }
        assert_eq!(bench.count("parked").await, 12);
        let alone = "streams s WHERE s.parked \
                     AND NOT EXISTS (SELECT 1 FROM parked p WHERE p.stream = s.id)";
        assert_eq!(bench.count(alone).await, 0, "a mark that no redrive would ever take away");
    })
    .await;
}

#[tokio::test]
async fn an_event_applied_before_its_stream_was_marked_is_a_duplicate_and_not_parked() {
    everywhere(async |bench| {
        bench.ledger.fail(2, Fail::Poison);
        bench.publish(vec![bench.heard("s", 1), bench.heard("s", 2)]).await;
        let mut consumer = bench.consumer();
        bench.consume(&mut consumer).await;
        bench.publish(vec![bench.heard("s", 1)]).await;
        let again = bench.consume(&mut consumer).await;
        assert_eq!((again.duplicates, again.parked), (1, 0));
        assert_eq!(bench.count("parked").await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_record_without_a_key_is_dead_lettered_and_marks_no_stream() {
    everywhere(async |bench| {
        let mut keyless = bench.heard("s", 1);
        keyless.key = None;
        bench.publish(vec![keyless, bench.heard("s", 2)]).await;
        let done = bench.consume(&mut bench.consumer()).await;
        assert_eq!((done.dead_letters, done.moved), (1, 1));
        assert_eq!(bench.count("streams WHERE parked").await, 0);
        bench.relay().step().await.unwrap();
        let letters = bench.log.records(DLQ);
        assert_eq!(letters[0].record.key, None);
        assert_eq!(header(&bench, "x-error-code"), "missing_key");
    })
    .await;
}

#[tokio::test]
async fn a_key_that_is_no_text_comes_back_in_the_dead_letter() {
    everywhere(async |bench| {
        bench.publish(vec![record(Some(&[0xff, 0, 1]), b"?".to_vec())]).await;
        bench.consume(&mut bench.consumer()).await;
        bench.relay().step().await.unwrap();
        assert_eq!(bench.log.records(DLQ)[0].record.key.as_deref(), Some(&[0xff, 0, 1][..]));
    })
    .await;
}

#[tokio::test]
async fn data_that_does_not_fit_is_poison() {
    everywhere(async |bench| {
        let fits = String::from_utf8(bench.heard("s", 1).payload).unwrap();
        let payload = fits.replace("{\"n\":1}", "{\"n\":\"one\"}");
        assert!(Event::parse(payload.as_bytes()).is_ok_and(|event| event.event_type == HEARD));
        bench.publish(vec![record(Some(b"s"), payload.into())]).await;
        bench.consume(&mut bench.consumer()).await;
        bench.relay().step().await.unwrap();
        assert_eq!(header(&bench, "x-error-code"), "malformed_data");
    })
    .await;
}

#[tokio::test]
async fn a_reaction_that_panics_fails_its_event_alone() {
    everywhere(async |bench| {
        bench.ledger.fail(1, Fail::Panic);
        let keys = key_per_partition().await;
        bench.publish(vec![bench.heard(&keys[0], 1), bench.heard(&keys[1], 2)]).await;
        let mut consumer = bench.consumer();
        for _ in 0..bench.messaging.settings().retry_unclassified_max {
            bench.consume(&mut consumer).await;
            bench.hands.clock.advance_ms(10_000);
        }
        assert_eq!(bench.applied().await, [2]);
        bench.relay().step().await.unwrap();
        assert_eq!(header(&bench, "x-error-code"), "unclassified");
        assert!(header(&bench, "x-error-message").contains("1 hurts"));
    })
    .await;
}
