//! Idempotency keys, on every database there is.

use chrono::{DateTime, TimeDelta, Utc};
use oms_proto::oms_v1::{GetPaymentRequest, GetPaymentResponse};
use oms_seams::{Clock, SystemClock};
use oms_service::{
    Refusal,
    idempotency::{
        self, Answer, Claim, IdempotencyKey, IdempotencySettings, claim, look_up, pend, remember,
        settle, sweep,
    },
    testing::{TestDatabase, backends},
};
use prost::Message;
use sea_orm::{DatabaseConnection, TransactionTrait};
use sea_orm_migration::prelude::*;
use tonic::{Code, metadata::MetadataMap};

use crate::support::{order, soon};

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        idempotency::migrations()
    }
}

const METHOD: &str = "oms.v1.OrderService/PayOrder";

fn metadata(key: &str) -> MetadataMap {
    let mut metadata = MetadataMap::new();
    metadata.insert("idempotency-key", key.parse().unwrap());
    metadata
}

fn key_of(key: &str, method: &'static str, message: &GetPaymentRequest) -> IdempotencyKey {
    IdempotencyKey::from_request(&metadata(key), method, message).unwrap().unwrap()
}

fn key() -> IdempotencyKey {
    key_of("k", METHOD, &order("a"))
}

fn now() -> DateTime<Utc> {
    SystemClock.now()
}

async fn databases() -> Vec<TestDatabase> {
    let mut all = Vec::new();
    for backend in backends() {
        all.push(TestDatabase::migrated::<Migrator>(&backend).await);
    }
    all
}

/// Claims in a transaction of its own.
async fn claimed(conn: &DatabaseConnection, key: &IdempotencyKey) -> Claim {
    let tx = conn.begin().await.unwrap();
    let found = claim(&tx, key, now()).await.unwrap();
    tx.commit().await.unwrap();
    found
}

fn declined() -> Answer {
    Answer::Refused { code: 9, reason: "DECLINED".to_owned(), message: "payment declined".into() }
}

#[test]
fn a_key_is_one_text_of_printable_ascii() {
    let read = |metadata: &MetadataMap| {
        IdempotencyKey::from_request(metadata, METHOD, &order("a"))
            .map_err(|refusal: Refusal| (refusal.code, refusal.violations[0].field.clone()))
    };
    assert_eq!(read(&MetadataMap::new()), Ok(None));
    let longest = "x".repeat(255);
    assert_eq!(read(&metadata(&longest)).unwrap().unwrap().key, longest);
    assert_eq!(read(&metadata("a b-~!")).unwrap().unwrap().scope, "global");
    let wrong = Err((Code::InvalidArgument, "idempotency-key".to_owned()));
    assert_eq!(read(&metadata("")), wrong);
    assert_eq!(read(&metadata(&"x".repeat(256))), wrong);
    let mut twice = metadata("a");
    twice.append("idempotency-key", "b".parse().unwrap());
    assert_eq!(read(&twice), wrong);
    let mut raw = http::HeaderMap::new();
    raw.insert("idempotency-key", http::HeaderValue::from_bytes(b"caf\xc3\xa9").unwrap());
    assert_eq!(read(&MetadataMap::from_headers(raw)), wrong);
}

#[tokio::test]
async fn the_same_call_gets_the_first_answer() {
    for test in databases().await {
        let conn = &test.database.write;
        assert_eq!(look_up(conn, &key()).await.unwrap(), None);
        assert_eq!(claimed(conn, &key()).await, Claim::New);
        let response = GetPaymentResponse::default();
        let answer = Answer::Ok(response.encode_to_vec());
        remember(conn, &key(), &answer, now()).await.unwrap();
        assert_eq!(claimed(conn, &key()).await, Claim::Replay(answer.clone()));
        assert_eq!(look_up(conn, &key()).await.unwrap(), Some(Claim::Replay(answer.clone())));
        assert_eq!(answer.decode::<GetPaymentResponse>().unwrap(), response);
    }
}

#[tokio::test]
async fn an_empty_response_is_an_answer_too() {
    for test in databases().await {
        let conn = &test.database.write;
        claimed(conn, &key()).await;
        remember(conn, &key(), &Answer::Ok(Vec::new()), now()).await.unwrap();
        assert_eq!(claimed(conn, &key()).await, Claim::Replay(Answer::Ok(Vec::new())));
    }
}

#[tokio::test]
async fn a_refusal_is_replayed_as_it_was() {
    for test in databases().await {
        let conn = &test.database.write;
        claimed(conn, &key()).await;
        remember(conn, &key(), &declined(), now()).await.unwrap();
        let Claim::Replay(answer) = claimed(conn, &key()).await else { panic!("no replay") };
        let status = answer.decode::<GetPaymentResponse>().unwrap_err();
        assert_eq!(
            (status.code(), status.message()),
            (Code::FailedPrecondition, "payment declined")
        );
    }
}

#[tokio::test]
async fn another_body_or_method_under_the_same_key_is_a_conflict() {
    for test in databases().await {
        let conn = &test.database.write;
        claimed(conn, &key()).await;
        let other_body = key_of("k", METHOD, &order("b"));
        let other_method = key_of("k", "oms.v1.OrderService/CancelOrder", &order("a"));
        assert_eq!(claimed(conn, &other_body).await, Claim::Conflict);
        assert_eq!(claimed(conn, &other_method).await, Claim::Conflict);
        assert_eq!(look_up(conn, &other_body).await.unwrap(), Some(Claim::Conflict));
        assert_eq!(claimed(conn, &key_of("other", METHOD, &order("b"))).await, Claim::New);
    }
}

/// A failed command that keeps its key would report success on the retry.
#[tokio::test]
async fn what_rolled_back_is_not_remembered() {
    for test in databases().await {
        let conn = &test.database.write;
        let tx = conn.begin().await.unwrap();
        assert_eq!(claim(&tx, &key(), now()).await.unwrap(), Claim::New);
        tx.rollback().await.unwrap();
        assert_eq!(claimed(conn, &key()).await, Claim::New);
    }
}

#[tokio::test]
async fn a_concurrent_call_waits_for_the_first_and_gets_its_answer() {
    for test in databases().await {
        let conn = &test.database.write;
        let (key, answer) = (key(), Answer::Ok(b"first".to_vec()));
        let first = conn.begin().await.unwrap();
        assert_eq!(claim(&first, &key, now()).await.unwrap(), Claim::New);
        let (second, ()) = tokio::join!(claimed(conn, &key), async {
            remember(&first, &key, &answer, now()).await.unwrap();
            first.commit().await.unwrap();
        });
        assert_eq!(second, Claim::Replay(answer.clone()));
    }
}

#[tokio::test]
async fn of_many_calls_with_one_key_one_is_new() {
    for test in databases().await {
        let conn = &test.database.write;
        let key = &key();
        let calls = (0..20).map(|_| claimed(conn, key));
        let claims = soon("all claims", futures::future::join_all(calls)).await;
        assert_eq!(claims.iter().filter(|claim| **claim == Claim::New).count(), 1);
        assert_eq!(claims.iter().filter(|claim| **claim == Claim::Running).count(), 19);
    }
}

#[tokio::test]
async fn keys_that_wait_for_an_outcome_get_it_together() {
    for test in databases().await {
        let conn = &test.database.write;
        let keys = ["a", "b", "c"].map(|name| key_of(name, METHOD, &order(name)));
        for key in &keys {
            claimed(conn, key).await;
        }
        pend(conn, &keys[0], "refund-1").await.unwrap();
        pend(conn, &keys[1], "refund-1").await.unwrap();
        pend(conn, &keys[2], "refund-2").await.unwrap();
        assert_eq!(claimed(conn, &keys[0]).await, Claim::Running);
        assert_eq!(settle(conn, "refund-1", &declined(), now()).await.unwrap(), 2);
        assert_eq!(claimed(conn, &keys[0]).await, Claim::Replay(declined()));
        assert_eq!(claimed(conn, &keys[1]).await, Claim::Replay(declined()));
        assert_eq!(claimed(conn, &keys[2]).await, Claim::Running);
        let again = settle(conn, "refund-1", &Answer::Ok(vec![]), now()).await.unwrap();
        assert_eq!(again, 0, "once");
        assert_eq!(claimed(conn, &keys[0]).await, Claim::Replay(declined()));
    }
}

#[tokio::test]
async fn old_keys_are_forgotten_unless_they_wait() {
    let settings = IdempotencySettings { keep_hours: 24, sweep_batch_max: 2, ..Default::default() };
    for test in databases().await {
        let conn = &test.database.write;
        let start = now();
        let keys = ["a", "b", "c", "waits"].map(|name| key_of(name, METHOD, &order(name)));
        for key in &keys {
            claim(conn, key, start).await.unwrap();
            remember(conn, key, &declined(), start).await.unwrap();
        }
        pend(conn, &keys[3], "refund-1").await.unwrap();
        let day = TimeDelta::hours(24);
        assert_eq!(sweep(conn, start + day, &settings).await.unwrap(), 0, "kept for 24 hours");
        let later = start + day + TimeDelta::microseconds(1);
        assert_eq!(sweep(conn, later, &settings).await.unwrap(), 2, "a batch");
        assert_eq!(sweep(conn, later, &settings).await.unwrap(), 1);
        assert_eq!(sweep(conn, later, &settings).await.unwrap(), 0);
        assert_eq!(look_up(conn, &keys[0]).await.unwrap(), None);
        assert!(look_up(conn, &keys[3]).await.unwrap().is_some(), "waits");
    }
}

#[tokio::test]
async fn a_key_that_waited_longer_than_answers_are_kept_is_still_answered() {
    let settings = IdempotencySettings { keep_hours: 48, ..Default::default() };
    for test in databases().await {
        let conn = &test.database.write;
        let start = now();
        claim(conn, &key(), start).await.unwrap();
        pend(conn, &key(), "refund-1").await.unwrap();
        let ended = start + TimeDelta::hours(49);
        assert_eq!(settle(conn, "refund-1", &declined(), ended).await.unwrap(), 1);
        assert_eq!(sweep(conn, ended, &settings).await.unwrap(), 0);
        assert_eq!(look_up(conn, &key()).await.unwrap(), Some(Claim::Replay(declined())));
        let old = ended + TimeDelta::hours(48) + TimeDelta::microseconds(1);
        assert_eq!(sweep(conn, old, &settings).await.unwrap(), 1, "kept as long as any answer");
    }
}

#[test]
fn keys_are_kept_for_a_day_at_least() {
    assert!(IdempotencySettings::default().violations("x").is_empty());
    let wrong = IdempotencySettings { keep_hours: 23, sweep_ms: 0, sweep_batch_max: 0 };
    assert_eq!(
        wrong.violations("order.idempotency"),
        [
            "order.idempotency.keep_hours: must be at least 24",
            "order.idempotency.sweep_ms: must be greater than zero",
            "order.idempotency.sweep_batch_max: must be greater than zero",
        ]
    );
}
