//! What a page of the list costs, as the databases plan it.

use chrono::DateTime;
use oms_payment::{
    migration::Migrator,
    queries::{Position, page_after},
};
use oms_service::testing::{TestDatabase, backends};
use sea_orm::{ConnectionTrait, DatabaseBackend, QueryTrait, Statement, TransactionTrait};

use crate::support::ORDER;

/// A page deep in the list costs what the first one does: its place is found in the index.
#[tokio::test]
async fn a_page_begins_where_the_index_says() {
    let order_id = ORDER.to_owned();
    let position = Position { created_at: DateTime::UNIX_EPOCH, order_id };
    for backend in backends() {
        let test = TestDatabase::migrated::<Migrator>(&backend).await;
        let tx = test.database.write.begin().await.unwrap();
        let kind = tx.get_database_backend();
        let (explain, column, place) = match kind {
            DatabaseBackend::Postgres => {
                // So small a table would be read whole, or sorted.
                for other in ["seqscan", "bitmapscan", "sort"] {
                    let off = format!("SET LOCAL enable_{other} = off");
                    tx.execute_unprepared(&off).await.unwrap();
                }
                ("EXPLAIN", "QUERY PLAN", "Index Cond: (ROW(created_at, order_id) < ROW(")
            }
            _ => ("EXPLAIN QUERY PLAN", "detail", "payments_newest ((created_at,order_id)<(?,?))"),
        };
        let page = page_after(Some(&position), 51).build(kind);
        let plan = Statement::from_string(kind, format!("{explain} {page}"));
        let plan = tx.query_all_raw(plan).await.unwrap();
        let plan = plan.iter().map(|row| row.try_get::<String>("", column).unwrap());
        let plan = plan.collect::<Vec<_>>().join("\n");
        assert!(plan.contains(place), "{plan}");
        assert!(!plan.contains("TEMP B-TREE") && !plan.contains("Sort"), "{plan}");
    }
}
