//! The start-up catalogue against a database.

use oms_inventory::catalogue;

use crate::support::{Shop, available};

#[tokio::test]
async fn the_catalogue_is_loaded_once_into_an_empty_stock_table() {
    for shop in Shop::everywhere().await {
        let items = catalogue::read(None).unwrap();
        assert_eq!(catalogue::load(&shop.messaging, &items).await.unwrap(), items.len());
        assert_eq!(shop.stock("SKU-001").await, available(10_000));
        assert_eq!(shop.stock("SKU-OUT-OF-STOCK").await, available(0));
        shop.audit().await;
        let rows = shop.rows().await;
        // Every SKU but the empty one has a receipt in the ledger.
        assert_eq!(rows[3], items.len() as u64 - 1);
        assert_eq!(catalogue::load(&shop.messaging, &items).await.unwrap(), 0);
        assert_eq!(shop.rows().await, rows);
    }
}

#[tokio::test]
async fn stock_that_is_there_keeps_the_catalogue_out() {
    for shop in Shop::everywhere().await {
        let shop = shop.with(&[("own", 1)]).await;
        let items = catalogue::read(None).unwrap();
        assert_eq!(catalogue::load(&shop.messaging, &items).await.unwrap(), 0);
        assert_eq!(shop.rows().await[0], 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_that_start_at_once_load_it_once() {
    for shop in Shop::everywhere().await {
        let items = catalogue::read(None).unwrap();
        let (one, two) = tokio::join!(
            catalogue::load(&shop.messaging, &items),
            catalogue::load(&shop.messaging, &items),
        );
        assert_eq!(one.unwrap() + two.unwrap(), items.len());
        assert_eq!(shop.stock("SKU-LOAD-50").await, available(100_000_000));
        shop.audit().await;
    }
}

#[tokio::test]
async fn a_file_is_read_and_a_missing_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stock.csv");
    let missing = catalogue::read(Some(&path)).unwrap_err().to_string();
    assert!(missing.contains("stock.csv"), "{missing}");
    std::fs::write(&path, "sku,qty\na,1\n").unwrap();
    assert_eq!(catalogue::read(Some(&path)).unwrap().len(), 1);
    std::fs::write(&path, "sku,qty\na,x\nb,y\n").unwrap();
    let wrong = catalogue::read(Some(&path)).unwrap_err().to_string();
    assert_eq!(wrong.lines().count(), 2, "{wrong}");
}
