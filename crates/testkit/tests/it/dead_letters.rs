//! Dead letters of the whole system: parked, looked at and settled through the admin port (rule 4).

use std::{collections::BTreeMap, time::Duration};

use oms_proto::{
    oms_admin_v1::{
        DeadLetterFilter, DeadLetterOutcome, DiscardDeadLettersRequest, GetDeadLetterRequest,
        ListDeadLettersRequest, RedriveDeadLettersRequest,
    },
    oms_v1::{OrderStatus, ReservationStatus},
};
use oms_testkit::{
    Clients, Name, Stack, eventually,
    requests::{cancel, item, pay},
};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, Statement};
use tonic::Code;

const VISA: &str = "pm_card_visa";

/// A connection of one's own to inventory's database.
async fn inventory_of(stack: &Stack) -> DatabaseConnection {
    let seen = stack.databases().unwrap().inventory;
    let list = Statement::from_string(seen.get_database_backend(), "PRAGMA database_list");
    let row = seen.query_one_raw(list).await.unwrap().unwrap();
    let file: String = row.try_get("", "file").unwrap();
    Database::connect(format!("sqlite://{file}?mode=rw")).await.unwrap()
}

/// Inventory cannot write about this order, as if it had a bug.
async fn bug(database: &DatabaseConnection, order: &str) {
    let trigger = format!(
        "CREATE TRIGGER bug BEFORE INSERT ON reservations WHEN NEW.order_id = '{order}' \
         BEGIN SELECT RAISE(ABORT, 'a bug'); END"
    );
    database.execute_unprepared(&trigger).await.unwrap();
}

async fn mended(database: &DatabaseConnection) {
    database.execute_unprepared("DROP TRIGGER bug").await.unwrap();
}

fn of_order(order: &str) -> Option<DeadLetterFilter> {
    Some(DeadLetterFilter { order_id: order.into(), ..DeadLetterFilter::default() })
}

fn listing(order: &str) -> ListDeadLettersRequest {
    ListDeadLettersRequest { filter: of_order(order), ..Default::default() }
}

fn redriving(order: &str, dry_run: bool) -> RedriveDeadLettersRequest {
    let note = "mended".to_owned();
    RedriveDeadLettersRequest { filter: of_order(order), note, dry_run, ..Default::default() }
}

async fn parked(stack: &Stack, order: &str, count: usize) {
    eventually(Duration::from_secs(30), || async {
        let mut letters = stack.dead_letters(Name::Inventory).await?;
        let found = letters.list_dead_letters(listing(order)).await?.into_inner().dead_letters;
        Ok(if found.len() == count { Ok(()) } else { Err(format!("{found:?}")) })
    })
    .await
    .unwrap();
}

async fn poisoned(stack: &mut Stack, clients: &Clients) -> (DatabaseConnection, String) {
    let order = clients.create("unlucky", vec![item("SKU-001", 1, 100)]).await.unwrap();
    let database = inventory_of(stack).await;
    bug(&database, &order).await;
    stack.poisons(&order);
    clients.orders.clone().pay_order(pay(&order, VISA)).await.unwrap();
    (database, order)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redriven_order_ends_as_if_nothing_had_happened_and_its_timeline_tells() {
    let mut stack = Stack::start().await.unwrap();
    let clients = stack.clients().await.unwrap();
    let (database, order) = poisoned(&mut stack, &clients).await;
    parked(&stack, &order, 1).await;
    // Others go on.
    let other = clients.buy("lucky", vec![item("SKU-001", 1, 100)], VISA).await.unwrap();
    clients.reaches(&other, OrderStatus::Confirmed).await.unwrap();

    let mut letters = stack.dead_letters(Name::Inventory).await.unwrap();
    let found = letters.list_dead_letters(listing(&order)).await.unwrap().into_inner();
    let letter = &found.dead_letters[0];
    assert_eq!(letter.event_type, "oms.order.submitted.v1");
    assert_eq!((letter.service.as_str(), letter.reason.as_str()), ("inventory", "unclassified"));
    assert!(letter.message.contains("a bug"), "{letter:?}");
    let whole = GetDeadLetterRequest { service: String::new(), id: letter.id };
    let whole = letters.get_dead_letter(whole).await.unwrap().into_inner();
    let payload = String::from_utf8(whole.payload).unwrap();
    assert!(payload.contains(&letter.event_id) && payload.contains("SKU-001"), "{payload}");
    assert_eq!(whole.key, order.as_bytes());

    // As long as the bug is there it fails again, dry or not.
    for dry_run in [true, false] {
        let again = letters.redrive_dead_letters(redriving(&order, dry_run)).await.unwrap();
        let result = &again.into_inner().results[0];
        assert_eq!(result.outcome(), DeadLetterOutcome::Failed);
        assert!(result.failure_message.contains("a bug"), "{result:?}");
    }
    mended(&database).await;
    let rehearsed = letters.redrive_dead_letters(redriving(&order, true)).await.unwrap();
    let rehearsed = rehearsed.into_inner().results;
    assert!(rehearsed.iter().all(|one| one.outcome() == DeadLetterOutcome::Redriven));
    parked(&stack, &order, rehearsed.len()).await;

    let done = letters.redrive_dead_letters(redriving(&order, false)).await.unwrap().into_inner();
    assert!(done.results.iter().all(|one| one.outcome() == DeadLetterOutcome::Redriven));
    assert_eq!(done.next_page_token, "");
    clients.reaches(&order, OrderStatus::Confirmed).await.unwrap();
    stack.rest().await.unwrap();
    let story = clients.story(&order).await.unwrap();
    let told = story.iter().filter(|entry| *entry == "EventRedriven").count();
    assert_eq!(told, done.results.len(), "{story:?}");
    let rest: Vec<&String> = story.iter().filter(|entry| *entry != "EventRedriven").collect();
    assert_eq!(rest, ["OrderCreated", "reserved", "paid", "confirmed"]);
    let entries = clients.order(&order).await.unwrap().timeline;
    let entry = entries.iter().find(|entry| entry.event_type == "EventRedriven").unwrap();
    let details: serde_json::Value = serde_json::from_str(&entry.payload).unwrap();
    assert_eq!((&details["service"], &details["note"]), (&"inventory".into(), &"mended".into()));
    assert_eq!(details["event_id"], letter.event_id.as_str());
    assert_eq!(clients.reservation(&order).await.unwrap().status(), ReservationStatus::Committed);
    parked(&stack, &order, 0).await;
    stack.finish().await.unwrap();
}

/// Every row that a service keeps, by its table, but who holds which lease.
async fn rows(database: &DatabaseConnection) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::new();
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'leases' \
                  AND name NOT LIKE 'sqlite%'";
    for table in texts(database, tables).await {
        let columns =
            format!("SELECT 'quote(\"' || name || '\")' FROM pragma_table_info('{table}')");
        let row = texts(database, &columns).await.join(" || ',' || ");
        let sql = format!("SELECT {row} FROM \"{table}\" ORDER BY 1");
        all.insert(table, texts(database, &sql).await);
    }
    all
}

async fn texts(database: &DatabaseConnection, sql: &str) -> Vec<String> {
    let read = Statement::from_string(database.get_database_backend(), sql);
    let rows = database.query_all_raw(read).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_leaves_every_row_of_the_service_as_it_was() {
    let mut stack = Stack::start().await.unwrap();
    let clients = stack.clients().await.unwrap();
    let (database, order) = poisoned(&mut stack, &clients).await;
    parked(&stack, &order, 1).await;
    clients.orders.clone().cancel_order(cancel(&order)).await.unwrap();
    parked(&stack, &order, 2).await;
    // Nobody asks inventory anything now, and it has said all that it had to say.
    for name in [Name::Order, Name::Payment] {
        stack.kill(name).await;
    }
    eventually(Duration::from_secs(30), || async {
        let left = texts(&database, "SELECT id FROM outbox WHERE published_at IS NULL").await;
        Ok(if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) })
    })
    .await
    .unwrap();
    let mut letters = stack.dead_letters(Name::Inventory).await.unwrap();
    let discarding = DiscardDeadLettersRequest {
        filter: of_order(&order),
        note: "x".into(),
        dry_run: true,
        ..Default::default()
    };
    for bug in [true, false] {
        if !bug {
            mended(&database).await;
        }
        let before = rows(&database).await;
        assert_eq!(before["parked"].len(), 2);
        let dry = letters.redrive_dead_letters(redriving(&order, true)).await.unwrap();
        let dry = dry.into_inner().results;
        assert_eq!(dry.len(), if bug { 1 } else { 2 });
        let failed = dry.iter().any(|one| one.outcome() == DeadLetterOutcome::Failed);
        assert_eq!(failed, bug);
        letters.discard_dead_letters(discarding.clone()).await.unwrap();
        assert_eq!(rows(&database).await, before);
    }
    let done = letters.redrive_dead_letters(redriving(&order, false)).await.unwrap();
    assert_eq!(done.into_inner().results.len(), 2);
    for name in [Name::Order, Name::Payment] {
        stack.restart(name).await.unwrap();
    }
    stack.rest().await.unwrap();
    stack.finish().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_parked_behind_follows_in_its_turn() {
    let mut stack = Stack::start().await.unwrap();
    let clients = stack.clients().await.unwrap();
    let (database, order) = poisoned(&mut stack, &clients).await;
    parked(&stack, &order, 1).await;
    clients.orders.clone().cancel_order(cancel(&order)).await.unwrap();
    parked(&stack, &order, 2).await;
    mended(&database).await;
    let mut letters = stack.dead_letters(Name::Inventory).await.unwrap();
    let done = letters.redrive_dead_letters(redriving(&order, false)).await.unwrap().into_inner();
    let types: Vec<String> = done
        .results
        .into_iter()
        .map(|one| one.dead_letter.unwrap_or_default().event_type)
        .collect();
    assert_eq!(types, ["oms.order.submitted.v1", "oms.order.canceled.v1"]);
    stack.rest().await.unwrap();
    assert_eq!(clients.reservation(&order).await.unwrap().status(), ReservationStatus::Released);
    stack.finish().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_discarded_event_is_told_and_never_applied() {
    let mut stack = Stack::start().await.unwrap();
    let clients = stack.clients().await.unwrap();
    let (database, order) = poisoned(&mut stack, &clients).await;
    parked(&stack, &order, 1).await;
    let mut letters = stack.dead_letters(Name::Inventory).await.unwrap();
    let discard = |filter, note: &str| DiscardDeadLettersRequest {
        filter,
        note: note.to_owned(),
        ..Default::default()
    };
    // It cannot be undone: it says what and why.
    let refused = letters.discard_dead_letters(discard(None, "")).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let done = discard(of_order(&order), "settled by hand");
    let done = letters.discard_dead_letters(done).await.unwrap().into_inner();
    assert_eq!(done.results[0].outcome(), DeadLetterOutcome::Discarded);
    mended(&database).await;
    // Nobody holds anything for it, so it can only be cancelled.
    clients.orders.clone().cancel_order(cancel(&order)).await.unwrap();
    stack.rest().await.unwrap();
    let story = clients.story(&order).await.unwrap();
    assert!(story.contains(&"EventDiscarded".to_owned()), "{story:?}");
    assert_eq!(clients.reservation(&order).await.unwrap().status(), ReservationStatus::Fenced);
    stack.finish().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_are_refused_for_what_is_not_there() {
    let stack = Stack::start().await.unwrap();
    let mut letters = stack.dead_letters(Name::Payment).await.unwrap();
    let elsewhere = DeadLetterFilter { service: "order".into(), ..Default::default() };
    let request = ListDeadLettersRequest { filter: Some(elsewhere), ..Default::default() };
    let refused = letters.list_dead_letters(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    assert!(refused.message().contains("payment"), "{refused}");
    let nothing = GetDeadLetterRequest { service: "payment".into(), id: 7 };
    let refused = letters.get_dead_letter(nothing).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    let request = ListDeadLettersRequest { page_size: -1, ..Default::default() };
    let refused = letters.list_dead_letters(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    stack.finish().await.unwrap();
}
