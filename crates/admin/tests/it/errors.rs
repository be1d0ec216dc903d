//! Every request of `oms.admin.v1.DeadLetterService` × every refusal it can meet, as
//! `docs/errors.md` tells it; and the trace of every answer.

use oms_proto::oms_admin_v1::{
    DeadLetterFilter, DiscardDeadLettersRequest, GetDeadLetterRequest, ListDeadLettersRequest,
    RedriveDeadLettersRequest,
};
use oms_service::{
    MESSAGE_IN_MAX, TRACE_ID,
    testing::{RefusalTable, call_raw, framed, traced},
};
use prost_types::Timestamp;

use crate::support::{Client, PATIENCE, Served};

const LIST: &str = "/oms.admin.v1.DeadLetterService/ListDeadLetters";

/// A request of a list, a redrive or a discard, as far as they have the same parts.
#[derive(Clone, Default)]
struct Asked {
    filter: DeadLetterFilter,
    page_size: i32,
    page_token: String,
    note: String,
}

/// Something that can be refused.
fn fine() -> Asked {
    let filter = DeadLetterFilter { reason: "unclassified".to_owned(), ..Default::default() };
    Asked { filter, note: "by hand".to_owned(), ..Asked::default() }
}

fn of(service: &str) -> Asked {
    let mut asked = fine();
    asked.filter.service = service.to_owned();
    asked
}

async fn list(table: &mut RefusalTable, client: &mut Client, asked: &Asked) {
    let Asked { filter, page_size, page_token, .. } = asked.clone();
    let request = ListDeadLettersRequest { filter: Some(filter), page_size, page_token };
    table.note("ListDeadLetters", client.list_dead_letters(request).await);
}

async fn get(table: &mut RefusalTable, client: &mut Client, service: &str) {
    let request = GetDeadLetterRequest { service: service.to_owned(), id: 99 };
    table.note("GetDeadLetter", client.get_dead_letter(request).await);
}

async fn redrive(table: &mut RefusalTable, client: &mut Client, asked: &Asked) {
    let Asked { filter, page_size, page_token, note } = asked.clone();
    let filter = Some(filter);
    let request =
        RedriveDeadLettersRequest { filter, page_size, page_token, note, ..Default::default() };
    table.note("RedriveDeadLetters", client.redrive_dead_letters(request).await);
}

async fn discard(table: &mut RefusalTable, client: &mut Client, asked: &Asked) {
    let Asked { filter, page_size, page_token, note } = asked.clone();
    let filter = Some(filter);
    let request =
        DiscardDeadLettersRequest { filter, page_size, page_token, note, ..Default::default() };
    table.note("DiscardDeadLetters", client.discard_dead_letters(request).await);
}

/// Every method, about this service.
async fn all(table: &mut RefusalTable, client: &mut Client, service: &str) {
    list(table, client, &of(service)).await;
    get(table, client, service).await;
    redrive(table, client, &of(service)).await;
    discard(table, client, &of(service)).await;
}

/// What is wrong with a selection or a page, whichever method is asked.
fn wrong() -> Vec<Asked> {
    let mut all: Vec<Asked> = Vec::new();
    let mut with = |spoil: &dyn Fn(&mut Asked)| {
        let mut asked = fine();
        spoil(&mut asked);
        all.push(asked);
    };
    for text in ["x".repeat(257), "a\0b".to_owned()] {
        with(&|asked| asked.filter.service.clone_from(&text));
        with(&|asked| asked.filter.order_id.clone_from(&text));
        with(&|asked| asked.filter.event_type.clone_from(&text));
        with(&|asked| asked.filter.reason.clone_from(&text));
    }
    let never = || Some(Timestamp { seconds: i64::MAX, nanos: 0 });
    with(&|asked| asked.filter.ids = vec![1]);
    with(&|asked| {
        asked.filter.ids = vec![1; 1_001];
        asked.filter.service = "order".to_owned();
    });
    with(&|asked| asked.filter.parked_from = never());
    with(&|asked| asked.filter.parked_before = never());
    with(&|asked| asked.page_size = -1);
    with(&|asked| asked.page_size = 1_001);
    with(&|asked| asked.page_token = "forged".to_owned());
    all
}

async fn refusals() -> RefusalTable {
    traced();
    let mut table = RefusalTable::new("oms.admin.v1.DeadLetterService");
    let served = Served::start().await;
    let at = served.admin.address();
    let mut client = served.client().await;
    let host = served.host("order");
    let database = host.health().component("database");
    table.note("any", call_raw(at, LIST, &[], framed(&[])).await);
    let order = served.open(host, &[]).await;
    all(&mut table, &mut client, "order").await;
    database.up();
    order.host.ready(PATIENCE).await.unwrap();

    let long = call_raw(at, LIST, &[], framed(&vec![0; MESSAGE_IN_MAX + 1])).await;
    table.note("any", long);
    table.note("any", call_raw(at, LIST, &[], vec![0]).await);
    let method = "/oms.admin.v1.DeadLetterService/Invention";
    table.note("none of ours", call_raw(at, method, &[], framed(&[])).await);
    table.note("none of ours", call_raw(at, "/a.b/C", &[], framed(&[])).await);
    for asked in wrong() {
        list(&mut table, &mut client, &asked).await;
        redrive(&mut table, &mut client, &asked).await;
        discard(&mut table, &mut client, &asked).await;
    }
    for note in ["x".repeat(501), "two\nlines".to_owned()] {
        redrive(&mut table, &mut client, &Asked { note: note.clone(), ..fine() }).await;
        discard(&mut table, &mut client, &Asked { note, ..fine() }).await;
    }
    discard(&mut table, &mut client, &Asked { note: String::new(), ..fine() }).await;
    discard(&mut table, &mut client, &Asked { filter: Default::default(), ..fine() }).await;
    discard(&mut table, &mut client, &Asked::default()).await;
    get(&mut table, &mut client, "").await;
    get(&mut table, &mut client, "order").await;
    all(&mut table, &mut client, "shipping").await;

    order.database.database.clone().close().await;
    all(&mut table, &mut client, "order").await;
    order.host.drain(PATIENCE).await;
    all(&mut table, &mut client, "order").await;
    table
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_tells_what_each_method_may_be_refused_with() {
    refusals().await.check();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "writes the page; run it by name when a change of the refusals is meant"]
async fn write_the_page() {
    refusals().await.write();
}

#[tokio::test]
async fn every_answer_names_its_trace_and_goes_on_with_the_callers() {
    traced();
    let served = Served::start().await;
    let _order = served.ready("order", &[]).await;
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let parent = format!("00-{trace}-b7ad6b7169203331-01");
    let ours: &[(&'static str, &[u8])] = &[("traceparent", parent.as_bytes())];
    let at = served.admin.address();
    for (path, body) in [(LIST, framed(&[])), (LIST, vec![0]), ("/a.b/C", framed(&[]))] {
        let answer = call_raw(at, path, ours, body.clone()).await;
        let headers = answer.unwrap_or_else(|status| status.metadata().clone().into_headers());
        assert_eq!(headers.get(TRACE_ID).unwrap(), trace, "{path}");
        let own = call_raw(at, path, &[], body).await;
        let headers = own.unwrap_or_else(|status| status.metadata().clone().into_headers());
        assert!(headers.get(TRACE_ID).is_some_and(|id| id.len() == 32 && id != trace), "{path}");
    }
}
