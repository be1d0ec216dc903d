//! Dead letters in an operator's hands (rule 4): in order, under the lock, nothing lost, nothing
//! applied twice, nothing passing anything.

use oms_messaging::{
    Action, DeadLetters, LetterFilter,
    consumer::letters::{CameTo, Orders, Settlement},
};

use super::{
    bench::{Bench, DLQ, everywhere, id, key_per_partition, record},
    ledger::Fail,
};

fn orders(note: &str) -> Orders {
    Orders { note: note.to_owned(), dry_run: false, after: 0, max: 100 }
}

fn dry() -> Orders {
    Orders { dry_run: true, ..orders("") }
}

/// The numbers of the events that were taken in hand, and what each came to.
fn told(settlement: &Settlement) -> Vec<(i64, &'static str)> {
    let number = |identity: &str| (1..20).find(|n| id(*n).to_string() == identity).unwrap_or(0);
    let word = |came_to: &CameTo| match came_to {
        CameTo::Redriven => "redriven",
        CameTo::Discarded => "discarded",
        CameTo::Failed { .. } => "failed",
    };
    let settled = settlement.settled.iter();
    settled.map(|one| (number(&one.letter.identity), word(&one.came_to))).collect()
}

/// Event 1 of stream `s` is poison, 2 and 3 wait behind it.
async fn three_parked(bench: &Bench) -> DeadLetters {
    bench.ledger.fail(1, Fail::Poison);
    bench.publish([1, 2, 3].map(|n| bench.heard("s", n)).to_vec()).await;
    bench.consume(&mut bench.consumer()).await;
    assert_eq!(bench.count("parked").await, 3);
    bench.crew().dead_letters()
}

async fn redrive(letters: &DeadLetters) -> Settlement {
    letters.redrive(&LetterFilter::of_stream("s"), &orders("mended")).await.unwrap()
}

#[tokio::test]
async fn a_stream_is_redriven_in_order_and_unmarked_with_its_last_event() {
    everywhere(async |bench| {
        let letters = three_parked(&bench).await;
        bench.ledger.mend();
        let done = redrive(&letters).await;
        assert_eq!(told(&done), [(1, "redriven"), (2, "redriven"), (3, "redriven")]);
        assert_eq!(done.next, None);
        assert_eq!(bench.applied().await, [1, 2, 3]);
        assert_eq!((bench.count("parked").await, bench.count("inbox").await), (0, 3));
        assert_eq!(bench.count("streams WHERE parked").await, 0);
        let kept = "interventions WHERE action = 'redriven' AND note = 'mended' \
                    AND stream = 's' AND payload IS NULL";
        assert_eq!(bench.count(kept).await, 3);
        let noted = bench.ledger.noted();
        assert_eq!(noted.len(), 3);
        assert_eq!(noted[0].event_id, id(1).to_string());
        assert_eq!((noted[0].action, noted[0].note.as_str()), (Action::Redriven, "mended"));
        let scraped = bench.scrape();
        let counted = "oms_dlq_settled_total{service=\"own\",action=\"redriven\"} 3";
        assert!(scraped.contains(counted), "{scraped}");
        // Read again from the start, all is known; what comes now goes its usual way.
        bench.log.redeliver(&bench.group, 0);
        bench.publish(vec![bench.heard("s", 4)]).await;
        let again = bench.consume(&mut bench.consumer()).await;
        assert_eq!((again.duplicates, again.moved, again.parked), (3, 1, 0));
        assert_eq!(redrive(&letters).await, Settlement::default());
    })
    .await;
}

#[tokio::test]
async fn what_fails_again_stays_with_all_behind_it_and_says_why() {
    everywhere(async |bench| {
        let letters = three_parked(&bench).await;
        bench.ledger.mend();
        bench.ledger.fail(2, Fail::Poison);
        let done = redrive(&letters).await;
        assert_eq!(told(&done), [(1, "redriven"), (2, "failed")]);
        let why = CameTo::Failed { code: "test_poison".into(), message: "2 is bad".into() };
        assert_eq!(done.settled[1].came_to, why);
        assert_eq!(bench.applied().await, [1]);
        assert_eq!(bench.count("streams WHERE parked").await, 1);
        let rows = letters.list(&LetterFilter::default(), 0, 10).await.unwrap();
        let reasons: Vec<&str> = rows.iter().map(|row| row.reason.as_str()).collect();
        assert_eq!(reasons, ["test_poison", "parked_behind"], "its own reason now");
        bench.relay().step().await.unwrap();
        assert_eq!(bench.log.records(DLQ).len(), 2, "it has a dead letter of its own");
        // Once more: it is dead-lettered already.
        assert_eq!(told(&redrive(&letters).await), [(2, "failed")]);
        bench.ledger.mend();
        let done = redrive(&letters).await;
        assert_eq!(told(&done), [(2, "redriven"), (3, "redriven")]);
        assert_eq!(bench.applied().await, [1, 2, 3]);
        bench.relay().step().await.unwrap();
        assert_eq!(bench.log.records(DLQ).len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_transient_failure_is_tried_again_within_bounds_and_then_reported() {
    everywhere(async |bench| {
        let letters = three_parked(&bench).await;
        bench.ledger.fail(1, Fail::Transient(2));
        let tries = bench.messaging.settings().retry_unclassified_max;
        bench.ledger.fail(2, Fail::Transient(tries));
        let done = redrive(&letters).await;
        assert_eq!(told(&done), [(1, "redriven"), (2, "failed")]);
        let CameTo::Failed { code, .. } = &done.settled[1].came_to else { panic!("{done:?}") };
        assert_eq!(code, "transient");
        let rows = letters.list(&LetterFilter::default(), 0, 10).await.unwrap();
        assert_eq!(rows[0].reason, "parked_behind", "it says nothing about the event");
        let done = redrive(&letters).await;
        assert_eq!(told(&done), [(2, "redriven"), (3, "redriven")]);
    })
    .await;
}

#[tokio::test]
async fn an_event_that_arrives_during_the_redrive_is_parked_behind_or_applied_after() {
    everywhere(async |bench| {
        // It comes before the last redrive: it is parked, and the redrive takes it along.
        let letters = three_parked(&bench).await;
        bench.ledger.mend();
        let one = Orders { max: 1, ..orders("") };
        let of_s = LetterFilter::of_stream("s");
        let first = letters.redrive(&of_s, &one).await.unwrap();
        assert_eq!(told(&first), [(1, "redriven")]);
        bench.publish(vec![bench.heard("s", 4)]).await;
        let mut consumer = bench.consumer();
        assert_eq!(bench.consume(&mut consumer).await.parked, 1);
        let rest = Orders { after: first.next.unwrap(), ..orders("") };
        let rest = letters.redrive(&of_s, &rest).await.unwrap();
        assert_eq!(told(&rest), [(2, "redriven"), (3, "redriven"), (4, "redriven")]);
        // It comes after: it is applied.
        bench.publish(vec![bench.heard("s", 5)]).await;
        assert_eq!(bench.consume(&mut consumer).await.moved, 1);
        assert_eq!(bench.applied().await, [1, 2, 3, 4, 5]);
    })
    .await;
}

#[tokio::test]
async fn nothing_passes_anything_when_consumer_and_redrive_run_at_the_same_time() {
    everywhere(async |bench| {
        for round in 0..10_i64 {
            let stream = format!("r-{round}");
            let number = |n: i64| round * 10 + n;
            bench.ledger.fail(number(1), Fail::Poison);
            let first = [1, 2].map(|n| bench.heard(&stream, number(n)));
            bench.publish(first.to_vec()).await;
            let mut consumer = bench.consumer();
            bench.consume(&mut consumer).await;
            bench.ledger.mend();
            bench.publish([3, 4, 5].map(|n| bench.heard(&stream, number(n))).to_vec()).await;
            let letters = bench.crew().dead_letters();
            let which = LetterFilter::of_stream(&stream);
            let how = orders("");
            let consuming = async {
                for _ in 0..6 {
                    consumer.step().await.unwrap();
                    bench.hands.clock.advance_ms(10_000);
                    tokio::task::yield_now().await;
                }
            };
            let redriving = async {
                for _ in 0..3 {
                    letters.redrive(&which, &how).await.unwrap();
                    tokio::task::yield_now().await;
                }
            };
            tokio::join!(consuming, redriving);
            letters.redrive(&which, &how).await.unwrap();
            bench.consume(&mut consumer).await;
            let sql = format!("SELECT n FROM applied WHERE stream = '{stream}' ORDER BY place");
            assert_eq!(bench.numbers(&sql).await, [1, 2, 3, 4, 5].map(number), "{stream}");
        }
        assert_eq!(bench.count("parked").await, 0);
        assert_eq!(bench.count("streams WHERE parked").await, 0);
    })
    .await;
}

#[tokio::test]
async fn two_operators_at_once_apply_each_event_once() {
    everywhere(async |bench| {
        let letters = three_parked(&bench).await;
        bench.ledger.mend();
        let (one, two) = tokio::join!(redrive(&letters), redrive(&letters));
        assert_eq!(one.settled.len() + two.settled.len(), 3);
        assert_eq!(bench.applied().await, [1, 2, 3]);
        assert_eq!(bench.count("interventions").await, 3);
    })
    .await;
}

#[tokio::test]
async fn dying_anywhere_in_a_redrive_loses_nothing_and_repeats_nothing() {
    for point in ["letters.before_commit", "letters.after_commit"] {
        for nth in 1..=3 {
            everywhere(async |bench| {
                let letters = three_parked(&bench).await;
                bench.ledger.mend();
                bench.hands.plan.arm(point, nth);
                assert!(!bench.hands.plan.survives(redrive(&letters)).await);
                let done = if point.contains("before") { i64::from(nth) - 1 } else { nth.into() };
                assert_eq!(bench.count("parked").await, 3 - done, "{point} {nth}");
                let marked = i64::from(done < 3);
                assert_eq!(bench.count("streams WHERE parked").await, marked);
                redrive(&letters).await;
                assert_eq!(bench.applied().await, [1, 2, 3], "{point} {nth}");
                assert_eq!(bench.count("interventions").await, 3);
                assert_eq!(bench.count("streams WHERE parked").await, 0);
            })
            .await;
        }
    }
}

#[tokio::test]
async fn a_dry_run_tells_what_would_happen_and_touches_nothing() {
    everywhere(async |bench| {
        let letters = three_parked(&bench).await;
        bench.echo();
        bench.ledger.mend();
        bench.ledger.fail(3, Fail::Poison);
        let which = LetterFilter::of_stream("s");
        let (rows, scraped) = (bench.rows().await, bench.scrape());
        let committed = bench.ledger.committed.lock().unwrap().len();
        let done = letters.redrive(&which, &dry()).await.unwrap();
        assert_eq!(told(&done), [(1, "redriven"), (2, "redriven"), (3, "failed")]);
        let done = letters.discard(&which, &dry()).await.unwrap();
        assert_eq!(told(&done), [(1, "discarded"), (2, "discarded"), (3, "discarded")]);
        assert_eq!(bench.rows().await, rows);
        assert_eq!(bench.scrape(), scraped, "nothing is counted");
        assert_eq!(bench.ledger.committed.lock().unwrap().len(), committed, "nobody is woken");
        // What was rehearsed can be done all the same, and then the rows do change.
        bench.ledger.mend();
        assert_eq!(redrive(&letters).await.settled.len(), 3);
        assert_eq!(bench.applied().await, [1, 2, 3]);
        assert_ne!(bench.rows().await, rows);
    })
    .await;
}

#[tokio::test]
async fn a_dry_run_of_garbage_without_a_stream_touches_nothing_either() {
    everywhere(async |bench| {
        let mut keyless = bench.heard("s", 1);
        keyless.key = None;
        bench.publish(vec![keyless]).await;
        bench.consume(&mut bench.consumer()).await;
        let letters = bench.crew().dead_letters();
        let rows = bench.rows().await;
        let done = letters.redrive(&LetterFilter::default(), &dry()).await.unwrap();
        assert!(done.settled.len() == 1 && done.settled[0].failed(), "{done:?}");
        letters.discard(&LetterFilter::default(), &dry()).await.unwrap();
        assert_eq!(bench.rows().await, rows);
    })
    .await;
}

#[tokio::test]
async fn what_is_discarded_is_never_applied_and_the_rest_goes_on() {
    everywhere(async |bench| {
        let letters = three_parked(&bench).await;
        let first = letters.list(&LetterFilter::default(), 0, 1).await.unwrap().remove(0);
        let this = LetterFilter::of_ids([first.id]);
        let done = letters.discard(&this, &orders("cannot be mended")).await.unwrap();
        assert_eq!(told(&done), [(1, "discarded")]);
        assert_eq!(bench.count("streams WHERE parked").await, 1, "two wait still");
        let kept = "interventions WHERE action = 'discarded' AND payload IS NOT NULL \
                    AND headers IS NOT NULL AND reason = 'test_poison'";
        assert_eq!(bench.count(kept).await, 1);
        let done = redrive(&letters).await;
        assert_eq!(told(&done), [(2, "redriven"), (3, "redriven")]);
        bench.ledger.mend();
        bench.log.redeliver(&bench.group, 0);
        let again = bench.consume(&mut bench.consumer()).await;
        assert_eq!((again.duplicates, again.moved, again.parked), (3, 0, 0));
        assert_eq!(bench.applied().await, [2, 3]);
        let actions: Vec<Action> = bench.ledger.noted().iter().map(|what| what.action).collect();
        assert_eq!(actions, [Action::Discarded, Action::Redriven, Action::Redriven]);
    })
    .await;
}

#[tokio::test]
async fn discarding_the_last_event_unmarks_the_stream() {
    everywhere(async |bench| {
        let letters = three_parked(&bench).await;
        let done = letters.discard(&LetterFilter::of_stream("s"), &orders("x")).await.unwrap();
        assert_eq!(done.settled.len(), 3);
        assert_eq!(bench.count("streams WHERE parked").await, 0);
        bench.publish(vec![bench.heard("s", 4)]).await;
        assert_eq!(bench.consume(&mut bench.consumer()).await.moved, 1);
    })
    .await;
}

#[tokio::test]
async fn letters_that_are_no_events_can_only_be_discarded_and_stay_so() {
    everywhere(async |bench| {
        let mut keyless = bench.heard("s", 1);
        keyless.key = None;
        let mut consumer = bench.consumer();
        for garbage in [keyless, record(Some(b"t"), b"no json".to_vec())] {
            bench.publish(vec![garbage]).await;
            bench.consume(&mut consumer).await;
        }
        let letters = bench.crew().dead_letters();
        let all = LetterFilter::default();
        let found = letters.list(&all, 0, 10).await.unwrap();
        let streams: Vec<_> = found.iter().map(|letter| letter.stream.as_deref()).collect();
        assert_eq!(streams, [None, Some("t")]);
        let done = letters.redrive(&all, &orders("")).await.unwrap();
        let codes: Vec<&str> = done
            .settled
            .iter()
            .map(|one| match &one.came_to {
                CameTo::Failed { code, .. } => code.as_str(),
                _ => "left",
            })
            .collect();
        assert_eq!(codes, ["missing_key", "malformed_envelope"]);
        assert_eq!(letters.discard(&all, &orders("garbage")).await.unwrap().settled.len(), 2);
        assert_eq!(bench.count("streams WHERE parked").await, 0);
        assert_eq!(bench.ledger.noted().len(), 1, "one has no stream to be noted on");
        bench.log.redeliver(&bench.group, 0);
        let again = bench.consume(&mut consumer).await;
        assert_eq!((again.handled, again.parked, again.dead_letters), (2, 0, 0));
        assert_eq!(bench.count("parked").await, 0);
    })
    .await;
}

#[tokio::test]
async fn filters_and_pages_select_letters_and_nothing_is_left_out() {
    everywhere(async |bench| {
        let keys = key_per_partition().await;
        for (n, key) in (1_i64..).zip(&keys) {
            bench.ledger.fail(n, Fail::Poison);
            bench.publish(vec![bench.heard(key, n), bench.heard(key, n + 10)]).await;
            bench.consume(&mut bench.consumer()).await;
            bench.hands.clock.advance_ms(1_000);
        }
        let letters = bench.crew().dead_letters();
        let all = letters.list(&LetterFilter::default(), 0, 100).await.unwrap();
        assert_eq!(all.len(), 8);
        let behind = LetterFilter { reason: Some("parked_behind".into()), ..Default::default() };
        assert_eq!(letters.list(&behind, 0, 100).await.unwrap().len(), 4);
        let (from, before) = (Some(all[2].parked_at), Some(all[4].parked_at));
        let between =
            LetterFilter { parked_from: from, parked_before: before, ..Default::default() };
        assert_eq!(letters.list(&between, 0, 100).await.unwrap(), all[2..4]);
        let unheard = LetterFilter { event_type: Some("other".into()), ..Default::default() };
        assert!(letters.list(&unheard, 0, 100).await.unwrap().is_empty());
        let whole = letters.whole(all[0].id).await.unwrap().unwrap();
        assert_eq!((&whole.letter, whole.behind), (&all[0], 1));
        assert_eq!(whole.key.as_deref(), Some(keys[0].as_bytes()));
        assert_eq!(letters.whole(999).await.unwrap(), None);
        // Page by page, one stream still failing on the way.
        bench.ledger.mend();
        bench.ledger.fail(2, Fail::Poison);
        let (mut after, mut seen) = (0, Vec::new());
        for _ in 0..10 {
            let page = Orders { max: 3, after, ..orders("") };
            let done = letters.redrive(&LetterFilter::default(), &page).await.unwrap();
            assert!(done.settled.len() <= 3);
            seen.extend(told(&done));
            match done.next {
                Some(next) => after = next,
                None => break,
            }
        }
        let redriven: Vec<i64> =
            seen.iter().filter(|(_, word)| *word == "redriven").map(|(n, _)| *n).collect();
        assert_eq!(redriven, [1, 11, 3, 13, 4, 14]);
        assert_eq!(bench.count("parked").await, 2);
    })
    .await;
}
