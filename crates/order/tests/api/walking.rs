//! ListOrders over many orders: each once while others are created, at a cost that does not grow.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use oms_order::{
    domain::Status,
    queries::{LINES_MAX, ListFilter, PageKey, Queries},
};
use oms_proto::oms_v1::ListOrdersRequest;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

use crate::{
    served::{Served, create_for, each_backend},
    support::databases,
};

/// The first so many orders of a made-up shop with their lines, by two statements. Three at a time
/// were created in one microsecond.
async fn fill(write: &DatabaseConnection, orders: u32, lines_each: u32) {
    let backend = write.get_database_backend();
    let (series, hex) = match backend {
        DbBackend::Postgres => {
            (format!("SELECT n FROM generate_series(1, {orders}) n"), "lpad(to_hex(s.n), 12, '0')")
        }
        _ => (
            format!(
                "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {orders}) \
                 SELECT n FROM c"
            ),
            "printf('%012x', s.n)",
        ),
    };
    let id = format!("'0190f5fe-7a3b-7000-8000-' || {hex}");
    let rows = format!(
        "INSERT INTO orders (id, customer_id, reference, currency, total_minor, status, \
         shown_status, version, row_version, revision, settled_revision, run_kind, payment_method, \
         captured_minor, refunded_minor, ledger_sequence, released, closed, cancel_refund_failed, \
         release_asked, created_at, updated_at) \
         SELECT {id}, 'customer-' || (s.n % 10), CASE s.n % 2 WHEN 0 THEN 'ref-' || (s.n / 4) \
         ELSE '' END, 'USD', 100, 'pending', CASE s.n % 7 WHEN 0 THEN 'confirmed' ELSE 'pending' \
         END, 1, 0, 0, 0, '', '', 0, 0, 0, FALSE, FALSE, FALSE, FALSE, \
         1760000000000000 + s.n / 3, 1760000000000000 + s.n / 3 FROM ({series}) s"
    );
    write.execute_unprepared(&rows).await.unwrap();
    let lines = format!(
        "INSERT INTO lines (order_id, revision, position, id, sku, qty, price_minor, name, \
         created_at) SELECT o.id, 1, p.n, o.id, 'SKU-001', 1, 100, '', o.created_at \
         FROM orders o CROSS JOIN ({}) p",
        match backend {
            DbBackend::Postgres =>
                format!("SELECT n FROM generate_series(0, {}) n", lines_each - 1),
            _ => format!(
                "WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c \
                 WHERE n < {}) SELECT n FROM c",
                lines_each - 1
            ),
        }
    );
    write.execute_unprepared(&lines).await.unwrap();
    write.execute_unprepared("ANALYZE").await.unwrap();
}

/// Walks all orders in pages while others are created, and prints what pages took.
async fn walk(orders: u32, page_size: i32) {
    for backend in each_backend() {
        let served = Served::start_with(&backend, |_| {}).await;
        fill(&served.running.database.write, orders, 1).await;
        let creating = {
            let mut client = served.client.clone();
            async move {
                for n in 1.. {
                    client.create_order(create_for("late", n)).await.unwrap();
                }
            }
        };
        let walking = async {
            let mut client = served.client.clone();
            let mut request = ListOrdersRequest { page_size, ..Default::default() };
            let (mut walked, mut took) = (Vec::new(), Vec::new());
            loop {
                let before = Instant::now();
                let page = client.list_orders(request.clone()).await.unwrap().into_inner();
                took.push(before.elapsed());
                walked.extend(page.orders.into_iter().map(|order| {
                    assert_eq!(order.items.len(), 1);
                    (order.created_at.map(|at| (at.seconds, at.nanos)), order.id)
                }));
                if page.next_page_token.is_empty() {
                    return (walked, took);
                }
                request.page_token = page.next_page_token;
            }
        };
        let (walked, took) = tokio::select! {
            walked = walking => walked,
            () = creating => panic!("creating never ends"),
        };
        assert!(walked.is_sorted_by(|newer, older| newer > older), "newest first, none twice");
        let old = "0190f5fe-7a3b-7000-8000-";
        let ids: BTreeSet<&str> =
            walked.iter().map(|(_, id)| id.as_str()).filter(|id| id.starts_with(old)).collect();
        assert_eq!(ids.len(), usize::try_from(orders).unwrap(), "{backend:?}");
        let late = served.orders().await - u64::from(orders);
        assert!(late > 0, "others were created meanwhile");
        let tenth = took.len().div_ceil(10);
        let mean = |pages: &[Duration]| {
            pages.iter().sum::<Duration>() / u32::try_from(pages.len()).unwrap()
        };
        println!(
            "{orders} orders, {} pages, {late} created meanwhile: first tenth {:.1?} each, last {:.1?}",
            took.len(),
            mean(&took[..tenth]),
            mean(&took[took.len() - tenth..]),
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_walk_meets_every_order_once_while_others_are_created() {
    walk(5_000, 250).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a while; prints what a page costs at the beginning and at the end"]
async fn a_walk_over_a_hundred_thousand_orders_costs_the_same_on_every_page() {
    walk(100_000, 1_000).await;
}

/// How the database would read a page, one step a line.
async fn plan(read: &DatabaseConnection, filter: &ListFilter, after: Option<&PageKey>) -> String {
    let backend = read.get_database_backend();
    let Statement { sql, values, .. } = filter.statement(after, 51, backend);
    let explain = match backend {
        DbBackend::Postgres => "EXPLAIN ",
        _ => "EXPLAIN QUERY PLAN ",
    };
    let explain = Statement { sql: format!("{explain}{sql}"), values, db_backend: backend };
    let column = if backend == DbBackend::Postgres { "QUERY PLAN" } else { "detail" };
    let rows = read.query_all_raw(explain).await.unwrap();
    let steps = rows.iter().map(|row| row.try_get::<String>("", column).unwrap());
    steps.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_page_of_any_filter_is_read_off_an_index_without_sorting() {
    for db in databases().await {
        fill(db.conn(), 20_000, 1).await;
        let customer = || Some("customer-4".to_owned());
        let reference = || Some("ref-100".to_owned());
        let status = Some(Status::Confirmed);
        let all = ListFilter::default();
        for (filter, index) in [
            (all.clone(), "orders_newest"),
            (ListFilter { customer_id: customer(), ..all.clone() }, "orders_customer"),
            (ListFilter { status, ..all.clone() }, "orders_shown"),
            (
                ListFilter { customer_id: customer(), status, ..all.clone() },
                "orders_customer_shown",
            ),
            (ListFilter { reference: reference(), ..all.clone() }, "orders_reference"),
            (
                ListFilter { reference: reference(), customer_id: customer(), status },
                "orders_reference",
            ),
        ] {
            let id = "0190f5fe-7a3b-7000-8000-0000000020ff".to_owned();
            let after = PageKey { created_at: 1_760_000_000_004_000, id };
            for after in [None, Some(&after)] {
                let plan = plan(db.conn(), &filter, after).await;
                let says = |index: &str| {
                    plan.contains(&format!("Index Scan Backward using {index} on orders"))
                        || plan.contains(&format!("SEARCH orders USING INDEX {index} ("))
                        || plan.contains(&format!("SCAN orders USING INDEX {index}"))
                };
                assert!(says(index), "{filter:?} {after:?}\n{plan}");
                let sorts = plan.contains("Sort") || plan.contains("TEMP B-TREE");
                assert!(!sorts, "{filter:?}\n{plan}");
                let ranges = plan.contains("(created_at,id)<(?,?)") || plan.contains("ROW(");
                assert_eq!(ranges, after.is_some(), "a page begins at its key\n{plan}");
            }
        }
    }
}

#[tokio::test]
async fn a_page_with_more_lines_than_are_read_at_once_ends_early() {
    for db in databases().await {
        fill(db.conn(), 50, 500).await;
        let queries = Queries::new(db.conn().clone());
        let (all, mut after, mut pages) = (ListFilter::default(), None, Vec::new());
        loop {
            let page = queries.list_orders(&all, after.as_ref(), 1_000).await.unwrap();
            let lines: usize = page.orders.iter().map(|order| order.lines.len()).sum();
            assert!(lines <= LINES_MAX && lines == page.orders.len() * 500);
            pages.push(page.orders.len());
            after = page.orders.last().map(oms_order::queries::ListedOrder::key);
            if !page.more {
                break;
            }
        }
        assert_eq!(pages.iter().sum::<usize>(), 50, "{pages:?}");
        assert!(pages.len() > 1);
    }
}
