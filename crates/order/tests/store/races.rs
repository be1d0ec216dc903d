//! Concurrent changes of one order.

use std::sync::Arc;

use oms_messaging::Failure;
use oms_order::{
    domain::{Canceling, Refusal, Status},
    store::Session,
};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::support::{Db, Stage, call, confirmed, databases, usd};

fn id() -> String {
    Uuid::from_u128(1).to_string()
}

async fn all<T: Send + 'static, F>(tasks: impl IntoIterator<Item = F>) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
{
    let mut set = JoinSet::new();
    for task in tasks {
        set.spawn(task);
    }
    set.join_all().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_concurrent_refunds_one_runs() {
    for db in databases().await {
        db.insert([confirmed(1)]).await;
        let db = db.shared();
        let ask = |n: u128, db: Arc<Db>| async move {
            let ask = |order: &mut oms_order::domain::Order| {
                order.request_refund(Uuid::from_u128(n), Some(usd(700)), "", &call(20))
            };
            db.change(&id(), ask).await.unwrap().0
        };
        let answers = all((100..120).map(|n| ask(n, Arc::clone(&db)))).await;
        assert_eq!(answers.iter().filter(|answer| **answer == Ok(usd(700))).count(), 1);
        assert_eq!(answers.iter().filter(|a| **a == Err(Refusal::Busy)).count(), 19);
        assert_eq!(db.order(&id()).await.refunds().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_concurrent_cancels_one_moves_the_order() {
    for db in databases().await {
        db.insert([Stage::Paying.build(1)]).await;
        let db = db.shared();
        let cancel = |db: Arc<Db>| async move {
            db.change(&id(), |order| order.cancel("", &call(20))).await.unwrap().0
        };
        let answers = all((0..20).map(|_| cancel(Arc::clone(&db)))).await;
        let moved = answers.iter().filter(|answer| **answer == Ok(Canceling::Canceled)).count();
        assert_eq!(moved, 1);
        let order = db.order(&id()).await;
        assert_eq!((order.status(), order.version()), (Status::Canceled, 2));
        assert_eq!(db.said(&id()).await.iter().filter(|said| said.contains("cancel")).count(), 1);
    }
}

#[tokio::test]
async fn a_change_over_stale_data_is_transient_and_loses_nothing() {
    for db in databases().await {
        db.insert([confirmed(1)]).await;
        let mut tx = db.begin(&id()).await;
        let mut first = Session::load(&tx, &[id()]).await.unwrap();
        let mut second = Session::load(&tx, &[id()]).await.unwrap();
        first.order_mut(&id()).unwrap().cancel("first", &call(20)).unwrap();
        first.save(&mut tx).await.unwrap();
        second.order_mut(&id()).unwrap().cancel("second", &call(20)).unwrap();
        let refused = second.save(&mut tx).await;
        assert!(matches!(refused, Err(Failure::Transient(_))), "{refused:?}");
    }
}
