//! `oms.v1.PaymentService` through its own handlers.

use oms_payment::{api::PaymentApi, queries::Queries};
use oms_proto::oms_v1::{
    GetPaymentRequest, ListPaymentsRequest, MovementState, Payment, PaymentStatus,
    payment_service_server::PaymentService,
};
use oms_service::testing::{Backend, backends};
use sea_orm::{ConnectionTrait, TransactionTrait};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use crate::support::{
    Bench, ORDER, canceled, confirmed, order, refund_requested, reserved, submitted,
};

fn api(bench: &Bench) -> PaymentApi {
    PaymentApi::new(Queries::new(bench.database.read.clone()))
}

async fn get(bench: &Bench, order_id: &str) -> Result<Payment, Status> {
    let request = GetPaymentRequest { order_id: order_id.to_owned() };
    let answer = api(bench).get_payment(Request::new(request)).await?;
    Ok(answer.into_inner().payment.unwrap())
}

async fn list(bench: &Bench, size: i32, token: &str) -> Result<(Vec<Payment>, String), Status> {
    let request = ListPaymentsRequest { page_size: size, page_token: token.to_owned() };
    let page = api(bench).list_payments(Request::new(request)).await?.into_inner();
    Ok((page.payments, page.next_page_token))
}

#[tokio::test]
async fn get_payment_shows_the_ledger_its_movements_and_every_call() {
    for backend in backends() {
        let bench = Bench::new(&backend).await;
        bench.hear([submitted(ORDER, 100, "pm_card_timeout"), reserved(ORDER, 1)]).await;
        bench.work().await;
        bench.later();
        bench.work().await;
        bench.hear([confirmed(ORDER, 1, 100), refund_requested(ORDER, "r-1", 30)]).await;
        bench.hear([refund_requested(ORDER, "r-2", 71)]).await;
        bench.work().await;
        let payment = get(&bench, ORDER).await.unwrap();
        assert_eq!(payment.order_id, ORDER);
        assert_eq!((payment.currency.as_str(), payment.due_minor), ("USD", 100));
        assert_eq!((payment.captured_minor, payment.refunded_minor), (100, 30));
        assert_eq!(payment.status(), PaymentStatus::Captured);
        let [capture] = &payment.captures[..] else { panic!("one capture") };
        assert_eq!((capture.revision, capture.amount_minor), (1, 100));
        assert_eq!(capture.state(), MovementState::Succeeded);
        assert_eq!(capture.idempotency_key, format!("capture:{ORDER}:1"));
        let refunds: Vec<_> = payment
            .refunds
            .iter()
            .map(|one| (one.refund_id.as_str(), one.amount_minor, one.state(), one.code.as_str()))
            .collect();
        let expected = [
            ("r-1", 30, MovementState::Succeeded, ""),
            ("r-2", 71, MovementState::Failed, "nothing_left"),
        ];
        assert_eq!(refunds, expected);
        let outcomes: Vec<_> = payment.attempts.iter().map(|call| call.outcome.as_str()).collect();
        assert_eq!(outcomes, ["approved", "approved", "unknown"], "newest first");
        assert!(payment.attempts.iter().all(|call| call.at.is_some_and(|at| at.seconds > 0)));
    }
}

#[tokio::test]
async fn the_status_follows_the_payment() {
    let bench = Bench::new(&Backend::Sqlite).await;
    let status = |order: String| {
        let bench = &bench;
        async move { get(bench, &order).await.unwrap().status() }
    };
    bench.hear([submitted(ORDER, 100, "pm_card_visa")]).await;
    assert_eq!(status(ORDER.to_owned()).await, PaymentStatus::Pending);
    assert_eq!(get(&bench, ORDER).await.unwrap().captures, []);
    bench.hear([reserved(ORDER, 1)]).await;
    assert_eq!(status(ORDER.to_owned()).await, PaymentStatus::Processing);
    bench.work().await;
    assert_eq!(status(ORDER.to_owned()).await, PaymentStatus::Captured);
    bench.hear([canceled(ORDER)]).await;
    assert_eq!(status(ORDER.to_owned()).await, PaymentStatus::Closing);
    bench.work().await;
    assert_eq!(status(ORDER.to_owned()).await, PaymentStatus::Closed);
    bench.hear([submitted(&order(1), 100, "pm_card_declined"), reserved(&order(1), 1)]).await;
    bench.work().await;
    assert_eq!(status(order(1)).await, PaymentStatus::Declined);
    bench.hear([canceled(&order(2))]).await;
    assert_eq!(status(order(2)).await, PaymentStatus::Closed);
}

#[tokio::test]
async fn unknown_and_unreadable_orders_are_not_found_and_an_empty_one_is_invalid() {
    let bench = Bench::new(&Backend::Sqlite).await;
    bench.hear([canceled(ORDER)]).await;
    for known in [ORDER.to_owned(), ORDER.to_uppercase()] {
        assert_eq!(get(&bench, &known).await.unwrap().order_id, ORDER);
    }
    for unknown in [&order(9), "nonsense", &ORDER.replace('-', ""), &format!("{{{ORDER}}}")] {
        let status = get(&bench, unknown).await.unwrap_err();
        assert_eq!((status.code(), status.message()), (Code::NotFound, "payment not found"));
        assert_eq!(status.get_details_error_info().unwrap().reason, "PAYMENT_NOT_FOUND");
    }
    let status = get(&bench, "").await.unwrap_err();
    let refused = (status.code(), status.message());
    assert_eq!(refused, (Code::InvalidArgument, "order_id is required"));
}

#[tokio::test]
async fn the_list_is_newest_first_and_complete_page_by_page() {
    for backend in backends() {
        let bench = Bench::new(&backend).await;
        for n in 0..7 {
            // Two at a time share an instant: the order id decides between them.
            if n % 2 == 0 {
                bench.clock.advance(chrono::TimeDelta::seconds(1));
            }
            bench.hear([submitted(&order(n), 100, "pm_card_visa"), reserved(&order(n), 1)]).await;
        }
        bench.work().await;
        let (mut all, mut token, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let (page, next) = list(&bench, 3, &token).await.unwrap();
            assert!(page.iter().all(|one| one.captures.len() == 1 && one.attempts.len() == 1));
            all.extend(page.into_iter().map(|one| one.order_id));
            pages += 1;
            if next.is_empty() {
                break;
            }
            token = next;
        }
        let newest_first: Vec<String> = (0..7).rev().map(order).collect();
        assert_eq!((all, pages), (newest_first, 3), "{backend:?}");
        let (all, next) = list(&bench, 0, "").await.unwrap();
        assert_eq!((all.len(), next.as_str()), (7, ""));
        let (all, next) = list(&bench, 7, "").await.unwrap();
        assert_eq!((all.len(), next.as_str()), (7, ""), "no empty last page");
    }
}

#[tokio::test]
async fn everything_wrong_with_a_list_is_said_at_once() {
    let bench = Bench::new(&Backend::Sqlite).await;
    for (size, token, fields) in [
        (-1, "", vec!["page_size"]),
        (1_001, "", vec!["page_size"]),
        (1, "x", vec!["page_token"]),
        (1_001, "zz.x", vec!["page_size", "page_token"]),
    ] {
        let status = list(&bench, size, token).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        let violations = status.get_details_bad_request().unwrap().field_violations;
        let named: Vec<_> = violations.iter().map(|one| one.field.as_str()).collect();
        assert_eq!(named, fields, "{size} {token:?}");
        assert_eq!(status.message(), violations[0].description);
    }
}

#[tokio::test]
async fn a_page_stays_below_what_clients_take_and_the_rest_follows() {
    let bench = Bench::new(&Backend::Sqlite).await;
    for n in 0..3 {
        let refunds = (0..1_000).map(|refund| {
            let id = format!("{n}-{refund}-{}", "x".repeat(1_500));
            refund_requested(&order(n), &id, 1)
        });
        bench.try_hear(&refunds.collect::<Vec<_>>()).await.unwrap();
    }
    let (mut found, mut token) = (0, String::new());
    loop {
        let (page, next) = list(&bench, 0, &token).await.unwrap();
        let bytes: usize = page.iter().map(prost::Message::encoded_len).sum();
        assert!(page.len() == 1 || bytes < 3_000_000, "{} payments, {bytes} bytes", page.len());
        assert!(!page.is_empty());
        found += page.len();
        if next.is_empty() {
            break;
        }
        token = next;
    }
    assert_eq!(found, 3);
}

#[tokio::test]
async fn of_very_many_refunds_the_newest_thousand_are_shown_and_the_sums_count_all() {
    for backend in backends() {
        let bench = Bench::new(&backend).await;
        bench.hear([submitted(ORDER, 5_000, "pm_card_visa"), reserved(ORDER, 1)]).await;
        bench.work().await;
        bench.hear([confirmed(ORDER, 1, 5_000)]).await;
        // What payment is asked for is no smaller than a refund's id is in the order service.
        let id = |n: usize| format!("018f5a00-0000-7000-8000-{n:012}");
        let asked: Vec<_> = (0..1_100).map(|n| refund_requested(ORDER, &id(n), 1)).collect();
        bench.try_hear(&asked).await.unwrap();
        let write = bench.database.write.clone();
        let given = "UPDATE refunds SET state = 'succeeded', next_at = NULL WHERE refund_id >= '";
        write.execute_unprepared(&format!("{given}{}'", id(1))).await.unwrap();
        write.execute_unprepared("UPDATE payments SET refunded = 1099").await.unwrap();
        let read = bench.view(ORDER).await.unwrap();
        assert_eq!((read.payment.refunds.len(), read.busy), (1_000, true), "no more is read");
        let payment = get(&bench, ORDER).await.unwrap();
        let shown: Vec<_> = payment.refunds.iter().map(|one| one.refund_id.clone()).collect();
        assert_eq!(shown, (100..1_100).map(id).collect::<Vec<_>>(), "{backend:?}");
        assert_eq!((payment.captured_minor, payment.refunded_minor), (5_000, 1_099));
        // The one that is still due is not shown, and counts.
        assert_eq!(payment.status(), PaymentStatus::Processing);
        let bytes = prost::Message::encoded_len(&payment);
        assert!(bytes < 300_000, "{bytes} bytes");
        let (page, _) = list(&bench, 1, "").await.unwrap();
        assert_eq!(page[0].refunds, payment.refunds);
    }
}

/// A writer that always changes a payment and its capture together is never seen half way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_is_read_as_it_was_at_one_instant() {
    for backend in backends() {
        let bench = Bench::new(&backend).await;
        bench.hear([submitted(ORDER, 100, "pm_card_visa"), reserved(ORDER, 1)]).await;
        bench.work().await;
        let write = bench.database.write.clone();
        let mut writer = tokio::task::JoinSet::new();
        writer.spawn(async move {
            for n in 101..300 {
                let tx = write.begin().await.unwrap();
                let sum = format!("UPDATE payments SET captured = {n}");
                tx.execute_unprepared(&sum).await.unwrap();
                tx.execute_unprepared(&format!("UPDATE captures SET amount = {n}")).await.unwrap();
                tx.commit().await.unwrap();
            }
        });
        let ended = loop {
            if let Some(ended) = writer.try_join_next() {
                break ended;
            }
            let one = get(&bench, ORDER).await.unwrap();
            assert_eq!(one.captured_minor, one.captures[0].amount_minor);
            let (page, _) = list(&bench, 10, "").await.unwrap();
            assert_eq!(page[0].captured_minor, page[0].captures[0].amount_minor);
        };
        ended.unwrap();
    }
}
