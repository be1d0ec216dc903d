//! A redrive by reason, a letter a call: the token carries the order of which the selected letter
//! is gone already, through the admin port of a running service (rule 4).

use std::time::Duration;

use oms_proto::{
    oms_admin_v1::{
        DeadLetterFilter, DeadLetterOutcome, ListDeadLettersRequest, RedriveDeadLettersRequest,
    },
    oms_v1::ReservationStatus,
};
use oms_testkit::{
    Name, Stack, eventually,
    requests::{cancel, item, pay},
};
use sea_orm::{ConnectionTrait, Database, Statement};

async fn parked(stack: &Stack, count: usize) {
    eventually(Duration::from_secs(30), || async {
        let mut letters = stack.dead_letters(Name::Inventory).await?;
        let found = letters.list_dead_letters(ListDeadLettersRequest::default()).await?;
        let found = found.into_inner().dead_letters;
        Ok(if found.len() == count { Ok(()) } else { Err(format!("{found:?}")) })
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_selected_by_the_reason_of_their_first_letter_are_redriven_whole() {
    let mut stack = Stack::start().await.unwrap();
    let clients = stack.clients().await.unwrap();
    let seen = stack.databases().unwrap().inventory;
    let list = Statement::from_string(seen.get_database_backend(), "PRAGMA database_list");
    let row = seen.query_one_raw(list).await.unwrap().unwrap();
    let file: String = row.try_get("", "file").unwrap();
    let inventory = Database::connect(format!("sqlite://{file}?mode=rw")).await.unwrap();
    let bug = "CREATE TRIGGER bug BEFORE INSERT ON reservations \
               BEGIN SELECT RAISE(ABORT, 'a bug'); END";
    inventory.execute_unprepared(bug).await.unwrap();
    let mut orders = Vec::new();
    for customer in ["one", "two"] {
        let order = clients.create(customer, vec![item("SKU-001", 1, 100)]).await.unwrap();
        stack.poisons(&order);
        clients.orders.clone().pay_order(pay(&order, "pm_card_visa")).await.unwrap();
        orders.push(order);
        parked(&stack, orders.len()).await;
    }
    for (order, count) in orders.iter().zip(3..) {
        clients.orders.clone().cancel_order(cancel(order)).await.unwrap();
        parked(&stack, count).await;
    }
    inventory.execute_unprepared("DROP TRIGGER bug").await.unwrap();

    let mut letters = stack.dead_letters(Name::Inventory).await.unwrap();
    let filter = DeadLetterFilter { reason: "unclassified".into(), ..Default::default() };
    let (mut redriven, mut page_token) = (0, String::new());
    for _ in 0..20 {
        let request = RedriveDeadLettersRequest {
            filter: Some(filter.clone()),
            note: "mended".into(),
            page_size: 1,
            page_token,
            ..Default::default()
        };
        let done = letters.redrive_dead_letters(request).await.unwrap().into_inner();
        let all = done.results.iter().all(|one| one.outcome() == DeadLetterOutcome::Redriven);
        assert!(all, "{:?}", done.results);
        redriven += done.results.len();
        page_token = done.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!((redriven, page_token.as_str()), (4, ""));
    parked(&stack, 0).await;
    stack.rest().await.unwrap();
    for order in &orders {
        let reservation = clients.reservation(order).await.unwrap();
        assert_eq!(reservation.status(), ReservationStatus::Released);
    }
    stack.finish().await.unwrap();
}
