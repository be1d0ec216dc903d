//! Asking and answering (rule 10).

use oms_messaging::{Standing, envelope::ASK_HEADER};

use super::{
    bench::{asking, everywhere, is_ask, record, two_services},
    ledger::{Fail, UNHEARD},
};

#[tokio::test]
async fn an_ask_on_a_type_nobody_hears_is_answered_unmarked_and_in_order() {
    everywhere(async |bench| {
        for n in [1, 2, 3] {
            bench.say("s", n, Standing::Resting).await;
        }
        bench.say("other", 4, Standing::Resting).await;
        let mut relay = bench.relay();
        relay.step().await.unwrap();
        let ask = asking(bench.event("s", UNHEARD, 9));
        bench.publish(vec![ask]).await;
        let done = bench.consume(&mut bench.consumer()).await;
        assert_eq!((done.answered, done.ignored), (1, 1));
        relay.step().await.unwrap();
        let said = bench.said();
        assert_eq!(said["s"], [1, 2, 3, 1, 2, 3].map(|n| (n, false)));
        assert_eq!(said["other"].len(), 1);
        assert!(bench.scrape().contains("oms_answers_total{service=\"own\"} 1"));
    })
    .await;
}

#[tokio::test]
async fn a_duplicate_that_asks_is_answered() {
    everywhere(async |bench| {
        bench.say("s", 1, Standing::Resting).await;
        bench.publish(vec![bench.heard("s", 5)]).await;
        let mut consumer = bench.consumer();
        bench.consume(&mut consumer).await;
        bench.publish(vec![asking(bench.heard("s", 5))]).await;
        let done = bench.consume(&mut consumer).await;
        assert_eq!((done.answered, done.duplicates), (1, 1));
    })
    .await;
}

#[tokio::test]
async fn an_ask_about_a_parked_stream_is_answered_by_whatever_carries_it() {
    everywhere(async |bench| {
        bench.say("s", 1, Standing::Resting).await;
        bench.ledger.fail(5, Fail::Poison);
        let mut consumer = bench.consumer();
        // Poison itself, behind poison, a duplicate parked, a type nobody hears, no event at all.
        let garbage = asking(record(Some(b"s"), b"garbage".to_vec()));
        let unheard = asking(bench.event("s", UNHEARD, 7));
        let (bad, behind) = (asking(bench.heard("s", 5)), asking(bench.heard("s", 6)));
        for carrier in [bad, behind.clone(), behind, unheard, garbage] {
            bench.publish(vec![carrier]).await;
            assert_eq!(bench.consume(&mut consumer).await.answered, 1);
        }
        assert_eq!(bench.count("parked").await, 3);
    })
    .await;
}

#[tokio::test]
async fn own_records_are_never_answered() {
    everywhere(async |bench| {
        bench.say("s", 1, Standing::Waiting).await;
        bench.hands.clock.advance_ms(60_000);
        assert_eq!(bench.asker().step().await.unwrap(), 1);
        let mut relay = bench.relay();
        relay.step().await.unwrap();
        let done = bench.consume(&mut bench.consumer()).await;
        assert_eq!((done.handled, done.answered), (1, 0));
        assert_eq!(relay.step().await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn only_the_last_row_of_an_ask_carries_the_question_and_only_once() {
    everywhere(async |bench| {
        for n in [1, 2] {
            bench.say("s", n, Standing::Waiting).await;
        }
        let mut relay = bench.relay();
        relay.step().await.unwrap();
        bench.hands.clock.advance_ms(60_000);
        bench.asker().step().await.unwrap();
        relay.step().await.unwrap();
        // Somebody else asks: the answer is unmarked although these rows once asked.
        bench.publish(vec![asking(bench.event("s", UNHEARD, 9))]).await;
        bench.consume(&mut bench.consumer()).await;
        relay.step().await.unwrap();
        let marks = [false, false, false, true, false, false];
        let expected = [1, 2, 1, 2, 1, 2].into_iter().zip(marks).collect::<Vec<_>>();
        assert_eq!(bench.said()["s"], expected);
    })
    .await;
}

#[tokio::test]
async fn an_answer_does_not_take_back_a_question_that_is_still_due() {
    everywhere(async |bench| {
        bench.say("s", 1, Standing::Waiting).await;
        bench.hands.clock.advance_ms(60_000);
        bench.asker().step().await.unwrap();
        bench.publish(vec![asking(bench.event("s", UNHEARD, 9))]).await;
        bench.consume(&mut bench.consumer()).await;
        bench.relay().step().await.unwrap();
        assert_eq!(bench.said()["s"], [(1, true)]);
    })
    .await;
}

#[tokio::test]
async fn the_question_goes_to_what_the_same_transaction_says_last() {
    everywhere(async |bench| {
        bench.say("s", 1, Standing::Waiting).await;
        let mut tx = bench.messaging.begin().await.unwrap();
        assert!(tx.resend("s", true).await.is_err(), "not locked");
        drop(tx);
        let mut tx = bench.messaging.begin().await.unwrap();
        tx.lock(["s".to_owned()]).await.unwrap();
        let data = super::ledger::Number { n: 2 };
        tx.announce(oms_messaging::Announcement::new("s", "x", &data).unwrap()).unwrap();
        assert_eq!(tx.resend("s", true).await.unwrap(), 2);
        tx.commit().await.unwrap();
        bench.relay().step().await.unwrap();
        assert_eq!(bench.said()["s"], [(1, false), (2, true)]);
    })
    .await;
}

#[tokio::test]
async fn a_waiter_asks_after_silence_and_then_less_and_less_often() {
    everywhere(async |bench| {
        let after = bench.messaging.settings().ask_after_ms;
        bench.say("s", 1, Standing::Waiting).await;
        bench.say("rests", 2, Standing::Resting).await;
        let mut asker = bench.asker();
        let mut times = Vec::new();
        for tick in 0..40 {
            if asker.step().await.unwrap() > 0 {
                times.push(tick);
            }
            bench.hands.clock.advance_ms(after);
        }
        // 1, then 2, 4, 8 and at most 10 times the first silence apart.
        assert_eq!(times, [1, 3, 7, 15, 25, 35]);
        assert!(bench.scrape().contains("oms_asks_total{service=\"own\"} 6"));
    })
    .await;
}

#[tokio::test]
async fn answers_that_say_nothing_new_do_not_make_a_waiter_ask_more_often() {
    everywhere(async |bench| {
        let after = bench.messaging.settings().ask_after_ms;
        bench.publish(vec![bench.heard("s", 5)]).await;
        let mut consumer = bench.consumer();
        bench.consume(&mut consumer).await;
        bench.say("s", 1, Standing::Waiting).await;
        let mut asker = bench.asker();
        let mut times = Vec::new();
        for tick in 0..20 {
            if asker.step().await.unwrap() > 0 {
                times.push(tick);
                bench.publish(vec![bench.heard("s", 5)]).await;
                bench.consume(&mut consumer).await;
            }
            bench.hands.clock.advance_ms(after);
        }
        assert_eq!(times, [1, 3, 7, 15]);
    })
    .await;
}

#[tokio::test]
async fn hearing_something_restarts_the_silence() {
    everywhere(async |bench| {
        let after = bench.messaging.settings().ask_after_ms;
        bench.say("s", 1, Standing::Waiting).await;
        let mut consumer = bench.consumer();
        let mut asker = bench.asker();
        bench.publish(vec![bench.heard("s", 5)]).await;
        bench.hands.clock.advance_ms(after - 1);
        bench.consume(&mut consumer).await;
        bench.hands.clock.advance_ms(1);
        assert_eq!(asker.step().await.unwrap(), 0, "news");
        bench.publish(vec![bench.heard("s", 5)]).await;
        bench.consume(&mut consumer).await;
        bench.hands.clock.advance_ms(after - 1);
        assert_eq!(asker.step().await.unwrap(), 0, "a duplicate");
        bench.hands.clock.advance_ms(1);
        assert_eq!(asker.step().await.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn at_start_every_waiter_may_ask_at_once() {
    everywhere(async |bench| {
        bench.say("a", 1, Standing::Waiting).await;
        bench.say("b", 2, Standing::Waiting).await;
        bench.say("c", 3, Standing::Resting).await;
        let mut asker = bench.asker();
        assert_eq!(asker.step().await.unwrap(), 0);
        assert_eq!(asker.ask_all_waiting_now().await.unwrap(), 2);
        assert_eq!(asker.step().await.unwrap(), 2);
        assert_eq!(asker.step().await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn the_ask_at_start_is_not_about_what_began_to_wait_since() {
    everywhere(async |bench| {
        bench.say("before", 1, Standing::Waiting).await;
        let asker = bench.asker();
        bench.hands.clock.advance_ms(1);
        bench.say("since", 2, Standing::Waiting).await;
        assert_eq!(asker.ask_all_waiting_now().await.unwrap(), 1);
        let due = "SELECT count(*) FROM streams WHERE id = 'since' AND ask_attempt = 0";
        assert_eq!(bench.numbers(due).await, [1]);
    })
    .await;
}

#[tokio::test]
async fn a_waiter_that_has_said_nothing_is_only_put_off() {
    everywhere(async |bench| {
        let mut tx = bench.messaging.begin().await.unwrap();
        tx.lock(["s".to_owned()]).await.unwrap();
        tx.set_standing("s", Standing::Waiting).unwrap();
        tx.commit().await.unwrap();
        bench.hands.clock.advance_ms(60_000);
        let mut asker = bench.asker();
        assert_eq!(asker.step().await.unwrap(), 1);
        assert_eq!(asker.step().await.unwrap(), 0);
        assert!(bench.scrape().contains("oms_asks_total{service=\"own\"} 0"));
    })
    .await;
}

#[tokio::test]
async fn two_services_that_ask_each_other_settle() {
    two_services(async |one, two| {
        one.say("s", 1, Standing::Waiting).await;
        two.say("s", 2, Standing::Waiting).await;
        one.hands.clock.advance_ms(60_000);
        one.asker().step().await.unwrap();
        two.asker().step().await.unwrap();
        let (mut hears_one, mut hears_two) = (one.consumer(), two.consumer());
        let (mut relay_one, mut relay_two) = (one.relay(), two.relay());
        let mut quiet = 0;
        for _ in 0..20 {
            let mut work = one.consume(&mut hears_one).await.handled;
            work += two.consume(&mut hears_two).await.handled;
            work += relay_one.step().await.unwrap() + relay_two.step().await.unwrap();
            quiet = if work == 0 { quiet + 1 } else { 0 };
        }
        assert!(quiet > 10, "they never stop talking");
        // Each asked once and answered at most once.
        let asks = one.log.records("events").iter().filter(|d| is_ask(d)).count();
        assert_eq!((asks, ASK_HEADER), (2, "oms-ask"));
        assert!(one.log.records("events").len() <= 4);
    })
    .await;
}

#[tokio::test]
async fn asking_heals_a_log_that_lost_everything() {
    two_services(async |one, two| {
        one.say("s", 1, Standing::Waiting).await;
        let mut relay_one = one.relay();
        relay_one.step().await.unwrap();
        // The consumer of the other service hears what the first one says about itself.
        one.log.lose_all();
        two.say("s", 2, Standing::Resting).await;
        let mut relay_two = two.relay();
        relay_two.step().await.unwrap();
        one.log.lose_all();
        one.hands.clock.advance_ms(60_000);
        one.asker().step().await.unwrap();
        relay_one.step().await.unwrap();
        two.consume(&mut two.consumer()).await;
        relay_two.step().await.unwrap();
        assert_eq!(one.said()["s"], [(1, true)]);
        assert_eq!(two.said()["s"], [(2, false)]);
    })
    .await;
}
