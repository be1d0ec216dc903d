//! Many calls at once with one key: one effect, equal answers, and every other wish refused (I7).

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use oms_inventory::commands::{AdjustStock, CommandError, Keyed, ReceiveStock, Reply};
use oms_messaging::{Messaging, MessagingSettings, outlet::MessagingParts};
use oms_proto::oms_v1 as wire;
use oms_seams::{FaultPlan, Faults, Seams, Verdict};
use oms_service::idempotency::IdempotencyKey;
use prost::Message;
use sea_orm::DatabaseBackend;
use tokio::{sync::Notify, task::JoinSet, time::Instant};
use tonic::{Code, Request, Response, Status};
use tonic_types::StatusExt;

use crate::support::{Service, Shop};

/// Calls with each of the two bodies.
const CALLS: usize = 20;

/// Whether it was a replay, and the answer's bytes.
type Told = Result<(bool, Vec<u8>), Status>;

fn keyed<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("idempotency-key", "one key".parse().unwrap());
    request
}

fn told<M: Message>(answer: Result<Response<M>, Status>) -> Told {
    let answer = answer?;
    let replayed = answer.metadata().get("idempotency-replayed").is_some();
    Ok((replayed, answer.get_ref().encode_to_vec()))
}

/// One of two equal groups had its effect; the bodies take 3 or 5.
async fn call(service: &Service, method: &str, qty: i64) -> Told {
    let mut client = service.client.clone();
    let (sku, text) = ("SKU-001".to_owned(), String::new());
    if method == "ReceiveStock" {
        let request = keyed(wire::ReceiveStockRequest { sku, qty, note: text });
        told(client.receive_stock(request).await)
    } else {
        let request = keyed(wire::AdjustStockRequest { sku, delta: -qty, reason: text });
        told(client.adjust_stock(request).await)
    }
}

async fn available(service: &Service) -> i64 {
    let request = wire::GetStockRequest { sku: "SKU-001".to_owned() };
    let answer = service.client.clone().get_stock(request).await.unwrap();
    answer.into_inner().stock.unwrap().available
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn equal_and_conflicting_calls_with_one_key_have_one_effect() {
    for method in ["ReceiveStock", "AdjustStock"] {
        for service in Service::everywhere().await {
            let service = Arc::new(service);
            let before = available(&service).await;
            let mut calls = JoinSet::new();
            for n in 0..2 * CALLS {
                let (service, qty) = (service.clone(), if n % 2 == 0 { 3 } else { 5 });
                calls.spawn(async move {
                    loop {
                        match call(&service, method, qty).await {
                            // Who has no turn in time is told to come again, and does.
                            Err(status) if status.code() == Code::Unavailable => {}
                            told => break (qty, told),
                        }
                    }
                });
            }
            let all = calls.join_all().await;
            let moved = (available(&service).await - before).abs();
            let (mut well, mut refused) = (Vec::new(), 0);
            for (qty, told) in all {
                match told {
                    Ok(told) => {
                        assert_eq!(qty, moved, "{method}: only the first wish is done");
                        well.push(told);
                    }
                    Err(status) => {
                        assert_eq!(status.code(), Code::InvalidArgument, "{method}: {status}");
                        let info = status.get_details_error_info().unwrap();
                        assert_eq!(info.reason, "IDEMPOTENCY_KEY_REUSED", "{method}");
                        refused += 1;
                    }
                }
            }
            assert_eq!((well.len(), refused), (CALLS, CALLS), "{method}");
            assert!(well.iter().all(|(_, bytes)| *bytes == well[0].1), "{method}");
            let fresh = well.iter().filter(|(replayed, _)| !replayed).count();
            assert_eq!(fresh, 1, "{method}: all but one are replays");
        }
    }
}

/// Stops for ever at one point, as a process that dies there.
#[derive(Debug)]
struct Dies {
    at: Mutex<Option<&'static str>>,
    died: Notify,
}

impl FaultPlan for Dies {
    fn reached(&self, point: &'static str) -> Verdict {
        let mut at = self.at.lock().unwrap();
        if *at != Some(point) {
            return Verdict::Proceed;
        }
        *at = None;
        self.died.notify_one();
        Verdict::Crash
    }
}

/// Messaging over the shop's database in a process that dies at `at`.
fn dying(shop: &Shop, at: &'static str) -> (Messaging, Arc<Dies>) {
    let plan = Arc::new(Dies { at: Mutex::new(Some(at)), died: Notify::new() });
    let faults = Faults::planned(plan.clone());
    let messaging = Messaging::new(MessagingParts {
        source: "/oms/inventory".to_owned(),
        topic: "events".to_owned(),
        dead_letter_topic: "dlq".to_owned(),
        database: shop.database.database.write.clone(),
        seams: Seams { clock: shop.clock.clone(), faults, ..Seams::system() },
        settings: MessagingSettings::default(),
    });
    (messaging, plan)
}

/// A key of that name, and so much time.
fn named(key: &str, time: Duration) -> Keyed {
    let key = IdempotencyKey {
        scope: "global".to_owned(),
        key: key.to_owned(),
        method: "m",
        request_hash: "1".to_owned(),
    };
    Keyed { key, until: Instant::now() + time }
}

#[tokio::test]
async fn whoever_waits_behind_an_equal_call_of_another_instance_is_told_that_the_key_runs() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10)]).await;
        if shop.conn().get_database_backend() == DatabaseBackend::Sqlite {
            // Another instance waits for the one writer there, and cannot know for whom.
            continue;
        }
        let command = || AdjustStock { sku: "a".to_owned(), delta: -1, reason: String::new() };
        let (elsewhere, plan) = dying(&shop, "command.before_commit");
        let long = named("one", Duration::from_secs(60));
        let mut first = Box::pin(command().run(&elsewhere, Some(&long), |_| vec![1]));
        tokio::select! {
            reply = &mut first => panic!("it should have died: {reply:?}"),
            () = plan.died.notified() => {}
        }
        let short = named("one", Duration::from_millis(200));
        let told = command().run(&shop.messaging, Some(&short), |_| vec![2]).await;
        assert!(matches!(told, Err(CommandError::KeyRunning)), "{told:?}");
        // With the first call's end the key is free.
        drop(first);
        let told = command().run(&shop.messaging, Some(&long), |_| vec![3]).await;
        assert!(matches!(told, Ok(Reply::Changed(_))), "{told:?}");
    }
}

#[tokio::test]
async fn a_command_that_dies_is_done_and_answered_by_the_key_or_not_done_at_all() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("a", 10)]).await;
        for (at, done) in [("command.before_commit", false), ("command.after_commit", true)] {
            for receives in [true, false] {
                let key = named(&format!("{at} {receives}"), Duration::from_secs(60));
                let run = async |messaging: &Messaging| {
                    let encode = |row: &oms_inventory::store::entities::stock::Model| {
                        row.available.to_le_bytes().to_vec()
                    };
                    let (sku, text) = ("a".to_owned(), String::new());
                    if receives {
                        let command = ReceiveStock { sku, qty: 2, note: text };
                        command.run(messaging, Some(&key), encode).await
                    } else {
                        let command = AdjustStock { sku, delta: -2, reason: text };
                        command.run(messaging, Some(&key), encode).await
                    }
                };
                let before = shop.stock("a").await.available;
                let (messaging, plan) = dying(&shop, at);
                tokio::select! {
                    reply = run(&messaging) => panic!("it should have died: {reply:?}"),
                    () = plan.died.notified() => {}
                }
                let after = before + if receives { 2 } else { -2 };
                let reply = run(&shop.messaging).await.unwrap();
                match reply {
                    Reply::Replayed(bytes) => {
                        assert_eq!((bytes, done), (after.to_le_bytes().into(), true))
                    }
                    Reply::Changed(row) => assert_eq!((row.available, done), (after, false)),
                }
                assert_eq!(shop.stock("a").await.available, after, "once");
            }
        }
        shop.audit().await;
    }
}
