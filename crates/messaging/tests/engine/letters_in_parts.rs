//! Letters that one call cannot take all at once (rule 4): whatever bounds a call, the next one
//! goes on where it ended, and no stream stays half done.

use oms_messaging::{
    DeadLetters, LetterFilter,
    consumer::letters::{CameTo, Orders, Settlement},
};
use tokio_util::sync::CancellationToken;

use super::{
    bench::{Bench, everywhere},
    ledger::Fail,
};

fn orders(max: usize) -> Orders {
    Orders { max, ..Orders::default() }
}

fn poison() -> LetterFilter {
    LetterFilter { reason: Some("test_poison".into()), ..LetterFilter::default() }
}

/// Streams `a` and `b` have three letters each: poison, and two that wait behind it.
async fn two_streams(bench: &Bench) -> DeadLetters {
    for n in [1, 11] {
        bench.ledger.fail(n, Fail::Poison);
    }
    let of = |stream: &str, from: i64| (from..from + 3).map(|n| bench.heard(stream, n)).collect();
    bench.publish(of("a", 1)).await;
    bench.consume(&mut bench.consumer()).await;
    bench.publish(of("b", 11)).await;
    bench.consume(&mut bench.consumer()).await;
    assert_eq!(bench.count("parked").await, 6);
    bench.crew().dead_letters()
}

/// Call after call until one says that nothing is left; the letters of each.
async fn walk(letters: &DeadLetters, which: &LetterFilter, max: usize) -> Vec<usize> {
    let (mut calls, mut from) = (Vec::new(), Settlement::default());
    for _ in 0..20 {
        let after = from.next.unwrap_or_default();
        let how = Orders { after, ..orders(max) };
        let done = letters.redrive_on(from.stream.as_deref(), which, &how).await.unwrap();
        assert!(done.settled.iter().all(|one| one.came_to == CameTo::Redriven), "{done:?}");
        calls.push(done.settled.len());
        if done.next.is_none() {
            return calls;
        }
        from = done;
    }
    panic!("no end after {calls:?}");
}

#[tokio::test]
async fn a_stream_whose_selected_letter_is_gone_is_redriven_to_its_end_all_the_same() {
    for max in 1..=7 {
        everywhere(async |bench| {
            let letters = two_streams(&bench).await;
            bench.ledger.mend();
            let calls = walk(&letters, &poison(), max).await;
            assert_eq!(calls.iter().sum::<usize>(), 6, "{max} a call: {calls:?}");
            assert_eq!(bench.applied().await, [1, 2, 3, 11, 12, 13]);
            assert_eq!(bench.count("streams WHERE parked").await, 0, "{max} a call");
        })
        .await;
    }
}

#[tokio::test]
async fn one_letter_named_by_its_number_takes_its_stream_along_over_several_calls() {
    everywhere(async |bench| {
        let letters = two_streams(&bench).await;
        bench.ledger.mend();
        let first = letters.list(&poison(), 0, 1).await.unwrap().remove(0);
        assert_eq!(walk(&letters, &LetterFilter::of_ids([first.id]), 2).await, [2, 1]);
        assert_eq!(bench.applied().await, [1, 2, 3], "of the other stream nothing was said");
        assert_eq!(bench.count("streams WHERE parked").await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_call_that_is_stopped_finishes_its_letter_and_the_next_goes_on() {
    everywhere(async |bench| {
        let letters = two_streams(&bench).await;
        bench.ledger.mend();
        let stop = CancellationToken::new();
        stop.cancel();
        let stopped = letters.clone().until(stop);
        let dry = Orders { dry_run: true, ..orders(10) };
        let done = stopped.redrive(&poison(), &dry).await.unwrap();
        assert_eq!((done.settled.len(), done.next.is_some()), (1, true), "{done:?}");
        let done = stopped.discard(&LetterFilter::of_stream("b"), &dry).await.unwrap();
        assert_eq!((done.settled.len(), done.next.is_some()), (1, true), "{done:?}");
        // One a call, as if there were no room for more: nothing is left out.
        assert_eq!(walk(&stopped, &poison(), 10).await.iter().sum::<usize>(), 6);
        assert_eq!(bench.applied().await, [1, 2, 3, 11, 12, 13]);
        assert_eq!(bench.count("streams WHERE parked").await, 0);
    })
    .await;
}

#[tokio::test]
async fn what_fails_for_no_known_reason_is_not_tried_again_in_the_same_call() {
    everywhere(async |bench| {
        let letters = two_streams(&bench).await;
        bench.ledger.mend();
        bench.ledger.fail(1, Fail::Unclassified(100));
        let before = bench.ledger.reacted.lock().unwrap().len();
        let done = letters.redrive(&LetterFilter::of_stream("a"), &orders(10)).await.unwrap();
        assert!(done.settled.len() == 1 && done.settled[0].failed(), "{done:?}");
        let tries = bench.ledger.reacted.lock().unwrap().len() - before;
        assert_eq!(tries, 1, "an operator who waits has a deadline");
    })
    .await;
}

#[tokio::test]
async fn why_a_letter_failed_is_told_on_one_line_of_bounded_length() {
    everywhere(async |bench| {
        let letters = two_streams(&bench).await;
        bench.ledger.fail(1, Fail::Loud);
        let of_a = LetterFilter::of_stream("a");
        for dry_run in [true, false] {
            let how = Orders { dry_run, ..orders(10) };
            let done = letters.redrive(&of_a, &how).await.unwrap();
            let CameTo::Failed { message, .. } = &done.settled[0].came_to else {
                panic!("{done:?}")
            };
            assert!(!message.chars().any(char::is_control), "{message:?}");
            assert!(message.starts_with("loud") && message.len() < 3_000, "{}", message.len());
        }
        let kept = letters.list(&of_a, 0, 1).await.unwrap().remove(0).message;
        let done = letters.redrive(&of_a, &orders(10)).await.unwrap();
        let CameTo::Failed { message, .. } = &done.settled[0].came_to else { panic!("{done:?}") };
        assert_eq!(*message, kept, "the same is told and kept");
    })
    .await;
}
