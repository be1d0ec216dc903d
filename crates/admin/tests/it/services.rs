//! Three services on one admin port: the filter says whose letters are meant.

use oms_proto::oms_admin_v1::{
    DeadLetter, DeadLetterFilter, DeadLetterOutcome, DiscardDeadLettersRequest,
    GetDeadLetterRequest, ListDeadLettersRequest, RedriveDeadLettersRequest,
};
use tonic::Code;
use tonic_types::StatusExt;

use crate::support::{Client, Served, Service, listing, of, pairs, whose};

async fn three() -> (Served, [Service; 3]) {
    let served = Served::start().await;
    let services = [
        served.ready("payment", &["o-1"]).await,
        served.ready("order", &["o-1", "o-3"]).await,
        served.ready("inventory", &["o-1", "o-2"]).await,
    ];
    (served, services)
}

async fn letters(client: &mut Client, filter: DeadLetterFilter) -> Vec<DeadLetter> {
    let request = ListDeadLettersRequest { filter: Some(filter), ..Default::default() };
    client.list_dead_letters(request).await.unwrap().into_inner().dead_letters
}

const ALL: [(&str, &str); 5] = [
    ("inventory", "o-1"),
    ("inventory", "o-2"),
    ("order", "o-1"),
    ("order", "o-3"),
    ("payment", "o-1"),
];

#[tokio::test]
async fn all_are_listed_service_by_service_and_one_alone_by_its_name() {
    let (served, _services) = three().await;
    let mut client = served.client().await;
    assert_eq!(whose(&letters(&mut client, DeadLetterFilter::default()).await), pairs(ALL));
    let own = letters(&mut client, of("order").unwrap()).await;
    assert_eq!(whose(&own), pairs([("order", "o-1"), ("order", "o-3")]));
    let of_order = DeadLetterFilter { order_id: "o-1".into(), ..Default::default() };
    let wanted = pairs([("inventory", "o-1"), ("order", "o-1"), ("payment", "o-1")]);
    assert_eq!(whose(&letters(&mut client, of_order).await), wanted);
    let refused = client.list_dead_letters(listing("shipping")).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    assert_eq!(refused.get_error_details().error_info().unwrap().reason, "SERVICE_NOT_HERE");
    assert!(refused.message().contains("inventory, order, payment"), "{refused}");
}

#[tokio::test]
async fn pages_go_over_the_services_and_leave_nothing_out() {
    let (served, _services) = three().await;
    let mut client = served.client().await;
    for page_size in 1..=6 {
        let (mut seen, mut token) = (Vec::new(), String::new());
        for _ in 0..6 {
            let page_token = std::mem::take(&mut token);
            let request = ListDeadLettersRequest { page_size, page_token, filter: None };
            let page = client.list_dead_letters(request).await.unwrap().into_inner();
            assert!(page.dead_letters.len() <= usize::try_from(page_size).unwrap());
            seen.extend(whose(&page.dead_letters));
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(seen, pairs(ALL), "{page_size} a page");
    }
}

#[tokio::test]
async fn a_number_says_nothing_without_its_service() {
    let (served, _services) = three().await;
    let mut client = served.client().await;
    let get = |service: &str, id| GetDeadLetterRequest { service: service.to_owned(), id };
    let own = letters(&mut client, of("payment").unwrap()).await.remove(0);
    let whole = client.get_dead_letter(get("payment", own.id)).await.unwrap().into_inner();
    assert_eq!(whole.payload, b"no event");
    assert_eq!(whole.dead_letter, Some(own));
    let refused = client.get_dead_letter(get("", 1)).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("service is required"), "{refused}");
    let refused = client.get_dead_letter(get("payment", 99)).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    assert_eq!(refused.get_error_details().error_info().unwrap().reason, "DEAD_LETTER_NOT_FOUND");
}

#[tokio::test]
async fn what_is_done_for_one_service_leaves_the_others_alone() {
    let (served, _services) = three().await;
    let mut client = served.client().await;
    let redrive = RedriveDeadLettersRequest { filter: of("order"), ..Default::default() };
    let results = client.redrive_dead_letters(redrive).await.unwrap().into_inner().results;
    let outcomes: Vec<_> = results.iter().map(|one| one.outcome()).collect();
    assert_eq!(outcomes, [DeadLetterOutcome::Failed; 2], "garbage stays garbage");

    // Over all services, a call takes what it may, and the token says where to go on.
    let discard = |page_token: String| DiscardDeadLettersRequest {
        filter: Some(DeadLetterFilter { order_id: "o-1".into(), ..Default::default() }),
        note: "a test".into(),
        page_size: 2,
        page_token,
        ..Default::default()
    };
    let first = client.discard_dead_letters(discard(String::new())).await.unwrap().into_inner();
    let discarded = |results: Vec<oms_proto::oms_admin_v1::DeadLetterResult>| {
        let letters = results.into_iter().map(|one| one.dead_letter.unwrap());
        whose(&letters.collect::<Vec<_>>())
    };
    assert_eq!(discarded(first.results), pairs([("inventory", "o-1"), ("order", "o-1")]));
    let rest = client.discard_dead_letters(discard(first.next_page_token)).await.unwrap();
    let rest = rest.into_inner();
    assert_eq!(discarded(rest.results), pairs([("payment", "o-1")]));
    assert_eq!(rest.next_page_token, "");
    let left = whose(&letters(&mut client, DeadLetterFilter::default()).await);
    assert_eq!(left, pairs([("inventory", "o-2"), ("order", "o-3")]));
}
